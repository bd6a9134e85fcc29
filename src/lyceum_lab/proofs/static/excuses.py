"""What the checks of the plan find and what stays so, each with its reason. An excuse that nothing needs is a fault."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lyceum_lab.proofs.static.resources import plain

_NO_RESOURCE = "AWS knows no resource for it"
_SETTINGS = "reads names and settings, changes nothing; what it lists is not known by name before it is there"
_AGENT = "an instance's id is not known before it starts; the agent speaks for its own instance only"
_MOST = "stands in the boundary, which grants nothing: each role's own policy names its resource"

# action → why a statement may grant it on every resource.
ON_EVERYTHING = {
    "acm:DescribeCertificate": _SETTINGS,
    "acm:ListTagsForCertificate": _SETTINGS,
    "autoscaling:Describe*": _NO_RESOURCE,
    "autoscaling:DescribeAutoScalingGroups": _NO_RESOURCE,
    "autoscaling:DescribeInstanceRefreshes": _NO_RESOURCE,
    "backup-storage:MountCapsule": _NO_RESOURCE,
    "cloudwatch:DescribeAlarms": _SETTINGS,
    "cloudwatch:PutMetricData": _NO_RESOURCE,
    "ec2:Describe*": _SETTINGS,
    "ec2:DescribeDhcpOptions": _NO_RESOURCE,
    "ec2:DescribeInstances": _NO_RESOURCE,
    "ec2:DescribeLaunchTemplateVersions": _NO_RESOURCE,
    "ec2:DescribeNetworkInterfaces": _NO_RESOURCE,
    "ec2:DescribeSecurityGroups": _NO_RESOURCE,
    "ec2:DescribeSubnets": _NO_RESOURCE,
    "ec2:DescribeVpcs": _NO_RESOURCE,
    "ec2messages:*": _NO_RESOURCE,
    "elasticfilesystem:Describe*": _SETTINGS,
    "elasticfilesystem:ListTagsForResource": _SETTINGS,
    "elasticloadbalancing:Describe*": _NO_RESOURCE,
    "elasticloadbalancing:DescribeTargetHealth": _NO_RESOURCE,
    "elasticloadbalancing:GetLoadBalancerWebACL": _NO_RESOURCE,
    "kms:ListAliases": _NO_RESOURCE,
    "logs:CreateLogStream": _MOST,
    "logs:DescribeLog*": _SETTINGS,
    "logs:DescribeLogGroups": _NO_RESOURCE,
    "logs:DescribeResourcePolicies": _NO_RESOURCE,
    "logs:GetLogDelivery": _NO_RESOURCE,
    "logs:ListLogDeliveries": _NO_RESOURCE,
    "logs:PutLogEvents": _MOST,
    "rds:Describe*": _SETTINGS,
    "route53:GetChange": _SETTINGS,
    "route53:GetHostedZone": _SETTINGS,
    "route53:ListHostedZones*": _NO_RESOURCE,
    "route53:ListResourceRecordSets": _SETTINGS,
    "route53:ListTagsForResource": _SETTINGS,
    "secretsmanager:GetRandomPassword": _NO_RESOURCE,
    "ses:GetConfigurationSet*": _SETTINGS,
    "ses:GetEmailIdentity": _SETTINGS,
    "ses:ListTagsForResource": _SETTINGS,
    "ses:SendEmail": _MOST,
    "ses:SendRawEmail": _MOST,
    "sns:GetSubscriptionAttributes": _SETTINGS,
    "ssm:DescribeAssociation": _SETTINGS,
    "ssm:GetDocument": _MOST,
    "ssm:ListAssociations": _NO_RESOURCE,
    "ssm:UpdateInstanceInformation": _AGENT,
    "ssmmessages:*": _NO_RESOURCE,
    "ssmmessages:CreateControlChannel": _NO_RESOURCE,
    "ssmmessages:CreateDataChannel": _NO_RESOURCE,
    "ssmmessages:OpenControlChannel": _NO_RESOURCE,
    "ssmmessages:OpenDataChannel": _NO_RESOURCE,
    "wafv2:DisassociateWebACL": "takes effect only with SetWebAcl on the load balancer, which another statement names",
    "wafv2:Get*": _SETTINGS,
    "wafv2:List*": _SETTINGS,
}


@dataclass(frozen=True)
class Excuse:
    """One verdict that stands: in which plan ("" for any), at which address without keys, of which promise, and why."""

    promise: str
    address: str
    why: str
    plan: str = ""

    def covers(self, promise: str, plan: str, address: str) -> bool:
        here = re.sub(r"\[.*?\]", "", plain(address))
        return self.promise == promise and self.plan in {"", plan} and self.address == here


EXCUSES = (
    Excuse(
        "tls", "module.load_balancer.aws_lb_listener.http", plan="dev",
        why="without a domain there is no certificate; its security group lets in the operators only (decision 0011)",
    ),
    Excuse(
        "encrypted", "module.load_balancer.aws_s3_bucket.access_logs",
        why="load balancers write only into buckets that are encrypted by S3's own key",
    ),
    Excuse(
        "encrypted", "module.logs.aws_lambda_function.purge",
        why="its settings are two names of log groups; they are encrypted by AWS's key",
    ),
    Excuse(
        "encrypted", "module.logs.module.schedule.aws_scheduler_schedule.this",
        why="it carries no input; what there is is encrypted by AWS's key",
    ),
    Excuse(
        "encrypted", "module.canary.aws_lambda_function.canary",
        why="its settings are a public address and the name of a namespace; they are encrypted by AWS's key",
    ),
    Excuse(
        "encrypted", "module.canary.module.schedule.aws_scheduler_schedule.this",
        why="it carries no input; what there is is encrypted by AWS's key",
    ),
    Excuse(
        "strangers", "module.network.data.aws_iam_policy_document.s3_endpoint AmazonLinuxPackages",
        why="dnf signs no request; the statement names AWS's public bucket of packages, and GetObject only",
    ),
    Excuse(
        "bounded", "aws_iam_role.deployer",
        why="an administrator makes it; its own policies narrow it, and it must give the boundary to what it makes",
    ),
    Excuse(
        "bounded", "module.pipeline.aws_iam_role.project",
        why="an administrator makes them, each for its own project; planning and applying hold the deployer's policies",
    ),
    Excuse(
        "bounded", "module.pipeline.aws_iam_role.check",
        why="an administrator makes it; it writes its log and reads the source",
    ),
    Excuse(
        "bounded", "module.pipeline.aws_iam_role.pipeline",
        why="an administrator makes it, and CodePipeline alone may take it",
    ),
    Excuse(
        "bounded", "module.audit.aws_iam_role.delivery",
        why="an administrator makes it, and CloudTrail alone may take it",
    ),
)  # fmt: skip
