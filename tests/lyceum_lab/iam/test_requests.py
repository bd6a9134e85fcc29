"""What calls ask of IAM, by table, with an account that a dictionary describes."""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.iam import actions
from lyceum_lab.iam.requests import ACTIONS, PASSED, TAGGED_BY, Asked, Asking, asked

ROLE = "arn:aws:iam::1:role/ours"
KEY = "arn:aws:kms:eu-west-1:1:key/k"
TAGS = [{"Key": "Project", "Value": "lyceum"}]
VALUES = {"aws:RequestTag/Project": "lyceum"}


class Ledger:
    """An account in which these things exist."""

    number = "1"
    held = {
        "arn:aws:ec2:eu-west-1:1:vpc/vpc-12345678": {"Project": "lyceum"},
        KEY: {"Project": "lyceum"},
    }

    def tags(self, arn: str) -> dict[str, str]:
        return self.held.get(arn, {})

    def key(self, name: str, region: str) -> str:
        return KEY if name in {"k", "alias/ours", KEY} else ""

    def aliases(self, arn: str) -> list[str]:
        return ["alias/ours"] if arn == KEY else []

    def secret(self, name: str, region: str) -> str:
        return f"arn:aws:secretsmanager:{region}:1:secret:{name}-AbCdEf"

    def secret_key(self, arn: str) -> str:
        return KEY

    def bucket_key(self, bucket: str) -> str:
        return KEY if bucket == "sealed" else ""

    def boundary(self, arn: str) -> str:
        return "arn:aws:iam::1:policy/boundary" if arn == ROLE else ""

    def path(self, kind: str, name: str) -> str:
        return "/"

    def profile_roles(self, name: str) -> list[str]:
        return [ROLE] if name == "ours" else []

    def template(self, region: str, told: Any) -> dict[str, Any]:
        return {
            "Id": "lt-12345678",
            "Data": {
                "ImageId": "ami-12345678",
                "IamInstanceProfile": {"Name": "ours"},
                "MetadataOptions": {"HttpTokens": "required"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}],
            },
        }

    def image_owner(self, region: str, image: str) -> str:
        return "amazon"

    def file_system(self, region: str, mount_target: str) -> str:
        return "fs-12345678"

    def group(self, region: str, name: str) -> str:
        return ""


def ask(service: str, operation: str, model: str = "", **parameters: Any) -> list[Asked]:
    return asked(Asking(service, operation, model or service, "eu-west-1", parameters, Ledger()))


def told(found: list[Asked]) -> list[tuple[str, str]]:
    return [(one.action, one.resource.replace("arn:aws:", "").replace("eu-west-1:1:", "~")) for one in found]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "s3:::b")]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k/l"}, [("s3:GetObject", "s3:::b/k/l")]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("s3:GetObjectVersion", "s3:::b/k")]),
        ("s3", "GetObject", {"Bucket": "sealed", "Key": "k"},
         [("s3:GetObject", "s3:::sealed/k"), ("kms:Decrypt", "kms:~key/k")]),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]}},
         [("s3:DeleteObject", "s3:::b/x"), ("s3:DeleteObjectVersion", "s3:::b/y")]),
        ("s3", "PutBucketEncryption", {"Bucket": "b"}, [("s3:PutEncryptionConfiguration", "s3:::b")]),
        ("ec2", "DescribeVpcs", {}, [("ec2:DescribeVpcs", "*")]),
        ("ec2", "DeleteVpc", {"VpcId": "vpc-12345678"}, [("ec2:DeleteVpc", "ec2:~vpc/vpc-12345678")]),
        ("ec2", "CreateSubnet", {"VpcId": "vpc-12345678", "CidrBlock": "10.0.0.0/24"},
         [("ec2:CreateSubnet", "ec2:~vpc/vpc-12345678"), ("ec2:CreateSubnet", "ec2:~subnet/*")]),
        ("iam", "CreateRole", {"RoleName": "new"}, [("iam:CreateRole", "iam::1:role/new")]),
        ("iam", "AddRoleToInstanceProfile", {"RoleName": "ours", "InstanceProfileName": "p"},
         [("iam:AddRoleToInstanceProfile", "iam::1:instance-profile/p"), ("iam:PassRole", "iam::1:role/ours")]),
        ("iam", "AttachRolePolicy", {"RoleName": "ours", "PolicyArn": "arn:aws:iam::aws:policy/x"},
         [("iam:AttachRolePolicy", "iam::1:role/ours")]),
        ("kms", "CreateAlias", {"AliasName": "alias/a", "TargetKeyId": "k"},
         [("kms:CreateAlias", "kms:~alias/a"), ("kms:CreateAlias", "kms:~key/k")]),
        ("kms", "DescribeKey", {"KeyId": "alias/ours"}, [("kms:DescribeKey", "kms:~key/k")]),
        ("monitoring", "PutMetricAlarm", {"AlarmName": "a"}, [("cloudwatch:PutMetricAlarm", "cloudwatch:~alarm:a")]),
        ("elasticfilesystem", "TagResource", {"ResourceId": "fsap-1"},
         [("elasticfilesystem:TagResource", "elasticfilesystem:~access-point/fsap-1")]),
        ("elasticfilesystem", "DeleteMountTarget", {"MountTargetId": "fsmt-1"},
         [("elasticfilesystem:DeleteMountTarget", "elasticfilesystem:~file-system/fs-12345678")]),
        ("ssm", "GetParameter", {"Name": "/aws/service/x"},
         [("ssm:GetParameter", "ssm:eu-west-1::parameter/aws/service/x")]),
        ("ssm", "GetParameter", {"Name": "/ours/x"}, [("ssm:GetParameter", "ssm:~parameter/ours/x")]),
        ("logs", "CreateLogGroup", {"logGroupName": "/a/b"},
         [("logs:CreateLogGroup", "logs:~log-group:/a/b:log-stream:")]),
        ("logs", "DescribeLogStreams", {"logGroupName": "/g"},
         [("logs:DescribeLogStreams", "logs:~log-group:/g:log-stream:")]),
        ("logs", "CreateLogStream", {"logGroupName": "/g", "logStreamName": "i/1"},
         [("logs:CreateLogStream", "logs:~log-group:/g:log-stream:i/1")]),
        ("logs", "PutLogEvents", {"logGroupName": "/g", "logStreamName": "i/1"},
         [("logs:PutLogEvents", "logs:~log-group:/g:log-stream:i/1")]),
        ("logs", "ListTagsForResource", {"resourceArn": "arn:aws:logs:eu-west-1:1:log-group:/g"},
         [("logs:ListTagsForResource", "logs:~log-group:/g")]),
        ("route53", "GetHostedZone", {"Id": "/hostedzone/Z1"}, [("route53:GetHostedZone", "route53:::hostedzone/Z1")]),
        ("scheduler", "CreateSchedule", {"Name": "s", "Target": {"RoleArn": ROLE}},
         [("scheduler:CreateSchedule", "scheduler:~schedule/default/s"), ("iam:PassRole", "iam::1:role/ours")]),
        ("elasticloadbalancing", "CreateTargetGroup", {"Name": "t"},
         [("elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:~targetgroup/t/*")]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s"},
         [("secretsmanager:GetSecretValue", "secretsmanager:~secret:s-AbCdEf"), ("kms:Decrypt", "kms:~key/k")]),
        ("dynamodb", "DescribeTable", {"TableName": "t"}, [("dynamodb:DescribeTable", "dynamodb:~table/t")]),
        ("acm", "RequestCertificate", {"DomainName": "x"}, [("acm:RequestCertificate", "*")]),
    ],
)  # fmt: skip
def test_actions_and_resources(service: str, operation: str, parameters: Any, expected: Any) -> None:
    assert told(ask(service, operation, **parameters)) == expected


def test_the_requests_tags_go_with_what_is_made_and_the_resources_with_what_is_there() -> None:
    specification = [{"ResourceType": "subnet", "Tags": TAGS}]
    vpc, subnet, tagging = ask("ec2", "CreateSubnet", VpcId="vpc-12345678", TagSpecifications=specification)
    assert vpc.context["aws:ResourceTag/Project"] == "lyceum"
    assert "aws:RequestTag/Project" not in vpc.context
    assert subnet.context["aws:RequestTag/Project"] == "lyceum"
    assert "aws:ResourceTag/Project" not in subnet.context
    assert (tagging.action, tagging.resource) == ("ec2:CreateTags", "arn:aws:ec2:eu-west-1:1:subnet/*")
    assert tagging.context["ec2:CreateAction"] == "CreateSubnet"
    assert tagging.context["aws:RequestTag/Project"] == "lyceum"


def test_tags_that_are_set_later_know_no_creating_action() -> None:
    (one,) = ask("ec2", "CreateTags", ResourceIds=["vpc-12345678"], Tags=TAGS)
    assert one.resource == "arn:aws:ec2:eu-west-1:1:vpc/vpc-12345678"
    assert "ec2:CreateAction" not in one.context
    assert one.context["aws:RequestTag/Project"] == "lyceum"


def test_a_key_that_is_made_with_tags_needs_the_right_to_tag_one_that_has_none() -> None:
    made, tagged = ask("kms", "CreateKey", Tags=[{"TagKey": "Project", "TagValue": "lyceum"}])
    assert (made.action, made.resource, made.derived) == ("kms:CreateKey", "*", True)
    assert (tagged.action, tagged.derived, tagged.because) == ("kms:TagResource", False, "kms:CreateKey")
    assert tagged.context["aws:RequestTag/Project"] == "lyceum"
    assert "aws:ResourceTag/Project" not in tagged.context


def test_the_boundary_is_the_one_asked_for_or_the_one_that_is_there() -> None:
    (made,) = ask("iam", "CreateRole", RoleName="new", PermissionsBoundary="arn:aws:iam::1:policy/other")
    assert made.context["iam:PermissionsBoundary"] == "arn:aws:iam::1:policy/other"
    (without,) = ask("iam", "CreateRole", RoleName="new")
    assert without.context["iam:PermissionsBoundary"] is None
    (written,) = ask("iam", "PutRolePolicy", RoleName="ours")
    assert written.context["iam:PermissionsBoundary"] == "arn:aws:iam::1:policy/boundary"


def test_whoever_makes_a_group_must_be_allowed_what_it_launches() -> None:
    found = ask(
        "autoscaling", "CreateAutoScalingGroup", AutoScalingGroupName="g", VPCZoneIdentifier="subnet-12345678",
        LaunchTemplate={"LaunchTemplateId": "lt-12345678", "Version": "1"},
    )  # fmt: skip
    launched = {one.resource.rsplit(":", 1)[-1]: one for one in found if one.action == "ec2:RunInstances"}
    into = {"launch-template/lt-12345678", "subnet/subnet-12345678"}
    assert {"instance/*", "image/ami-12345678", *into} <= set(launched)
    assert launched["instance/*"].context["ec2:MetadataHttpTokens"] == "required"
    assert launched["instance/*"].context["ec2:InstanceProfile"] == "arn:aws:iam::1:instance-profile/ours"
    assert launched["image/ami-12345678"].context["ec2:Owner"] == "amazon"
    assert "ec2:MetadataHttpTokens" not in launched["image/ami-12345678"].context
    passed = next(one for one in found if one.action == "iam:PassRole")
    assert (passed.resource, passed.context["iam:PassedToService"]) == (ROLE, "ec2.amazonaws.com")
    assert any(one.action == "ec2:CreateTags" for one in found)
    assert {one.because for one in found[1:]} == {"autoscaling:CreateAutoScalingGroup"}


def test_a_database_needs_its_key_its_secret_and_its_role() -> None:
    found = ask(
        "rds", "CreateDBInstance", DBInstanceIdentifier="d", KmsKeyId=KEY, MonitoringRoleArn=ROLE,
        ManageMasterUserPassword=True, Tags=TAGS,
    )  # fmt: skip
    needed = {one.action: one for one in found[1:]}
    assert {"kms:CreateGrant", "kms:DescribeKey", "secretsmanager:CreateSecret", "rds:AddTagsToResource"} <= set(needed)
    assert needed["kms:CreateGrant"].context["kms:GrantIsForAWSResource"] is True
    assert needed["kms:CreateGrant"].context["kms:ViaService"] == "rds.eu-west-1.amazonaws.com"
    assert needed["iam:PassRole"].context["iam:PassedToService"] == "monitoring.rds.amazonaws.com"


def test_a_grant_that_somebody_asks_for_himself_is_for_no_service() -> None:
    (one,) = ask("kms", "CreateGrant", KeyId="k", GranteePrincipal=ROLE, Operations=["Decrypt"])
    assert one.context["kms:GrantIsForAWSResource"] is False


def test_records_are_told_in_lower_case_without_their_last_dot() -> None:
    record = {"Name": "_X.Example.org.", "Type": "CNAME"}
    (one,) = ask(
        "route53", "ChangeResourceRecordSets", HostedZoneId="Z1",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )  # fmt: skip
    assert one.context["route53:ChangeResourceRecordSetsNormalizedRecordNames"] == ["_x.example.org"]
    assert one.context["route53:ChangeResourceRecordSetsRecordTypes"] == ["CNAME"]
    assert one.context["route53:ChangeResourceRecordSetsActions"] == ["UPSERT"]


def test_what_a_call_does_not_tell_is_said_to_be_so() -> None:
    (one,) = ask("ec2", "DisassociateRouteTable", AssociationId="rtbassoc-12345678")
    assert (one.resource, one.derived) == ("*", False)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "needed"),
    [
        ("dynamodb", "CreateTable", {"TableName": "t"}, "dynamodb:TagResource dynamodb:~table/t"),
        ("rds", "CreateDBParameterGroup", {"DBParameterGroupName": "p"}, "rds:AddTagsToResource rds:~pg:p"),
        ("sns", "CreateTopic", {"Name": "t"}, "sns:TagResource sns:~t"),
        ("logs", "CreateLogGroup", {"logGroupName": "/g"}, "logs:TagResource logs:~log-group:/g"),
        ("iam", "CreateRole", {"RoleName": "r"}, "iam:TagRole iam::1:role/r"),
        ("lambda", "CreateFunction", {"FunctionName": "f"}, "lambda:TagResource lambda:~function:f"),
    ],
)
def test_tags_on_what_is_made(service: str, operation: str, parameters: Any, needed: str) -> None:
    for name in ("Tags", "tags"):
        found = {" ".join(one) for one in told(ask(service, operation, **{**parameters, name: TAGS}))}
        assert needed in found
    assert needed not in {" ".join(one) for one in told(ask(service, operation, **parameters))}


NAMES = {*ACTIONS.values(), *PASSED, *(name for names in TAGGED_BY.values() for name in names)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_action_that_is_named_here_is_one_of_awss(name: str) -> None:
    assert actions.find(name) is not None


def test_a_metric_tells_its_namespace_and_a_letter_its_sender() -> None:
    (metric,) = ask("monitoring", "PutMetricData", Namespace="Lyceum/dev", MetricData=[])
    assert (metric.action, metric.resource) == ("cloudwatch:PutMetricData", "*")
    assert metric.context["cloudwatch:namespace"] == "Lyceum/dev"
    letter = ask("ses", "SendEmail", "sesv2", FromEmailAddress="a@lyceum.example")[0]
    assert letter.context["ses:FromAddress"] == "a@lyceum.example"


def test_a_session_is_asked_for_on_an_instance_and_by_a_document() -> None:
    def of(operation: str, **parameters: str) -> list[tuple[str, str]]:
        call = Asking("ssm", operation, "ssm", "eu-west-1", parameters, Ledger())
        return [(one.action, one.resource) for one in asked(call)]

    instance = "arn:aws:ec2:eu-west-1:1:instance/i-12345678"
    own, of_aws = "arn:aws:ssm:eu-west-1:1:document/ours", "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession"
    for name, document in (("ours", own), ("AWS-StartSSHSession", of_aws)):
        assert of("StartSession", Target="i-12345678", DocumentName=name) == [
            ("ssm:StartSession", instance),
            ("ssm:StartSession", document),
        ]
    assert of("TerminateSession", SessionId="alice-1") == [
        ("ssm:TerminateSession", "arn:aws:ssm:eu-west-1:1:session/alice-1")
    ]
