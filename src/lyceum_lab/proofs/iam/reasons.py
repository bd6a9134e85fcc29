"""What of the deployer's rights no call here shows, and why it stays; what of them can be no narrower, and why.

Each reason is held against the replay: one that covers nothing any more is a finding of the proof. Parts are named as
in minimal.py, without the common beginning of the policies' names.
"""

from __future__ import annotations

from lyceum_lab.proofs.iam.minimal import Reason


def _reason(why: str, *parts: str) -> Reason:
    return Reason(why, tuple(f"lyceum-deployer-{part}" for part in parts))


UNSEEN = (
    _reason(
        "AWS asks for it in the caller's name, inside a service: no call shows it, AWS's reference or its guides do",
        # Roles that a service makes for itself the first time.
        "backup/RoleOfAwsBackup", "compute/RoleOfAutoScaling", "edge/RolesOfTheEdgesServices",
        "identity/RolesOfAwsServices",
        "backup/StorageOfVaults", "backup/GrantsOfVaults", "compute/AlarmsOfTargetTracking",
        "network/PrivateNamesOfEndpoints",
        # A mount target and a load balancer bring interfaces; a firewall is also a right to the load balancer.
        "network/Network ec2:*NetworkInterface*", "network/Network ec2:GetSecurityGroupsForVpc",
        "compute/LaunchInto on *volume*", "edge/LoadBalancers *W[Ee][Bb]A[Cc][Ll]*", "edge/Look *WebACL",
        "edge/Look logs:*LogDeliver*", "edge/DeliveryOfLogs logs:*LogDelivery",
        "edge/ConfigurationSetsOfMail ses:CreateEmailIdentity",
        # The last snapshot of a database that goes, and the options that it is born with.
        "data/Databases rds:CreateDBSnapshot", "data/Databases on *:snapshot:*", "data/Databases on *:og:default:*",
        "data/MasterPasswords secretsmanager:RotateSecret",
    ),
    _reason(
        "a tag is changed or taken off when somebody changes the code's, which no change here does",
        "*Untag*", "*RemoveTags*", "compute/Groups autoscaling:DeleteTags", "network/TagWhatIsOurs",
        "backup/KeepOwnPlans backup:TagResource",
    ),
    _reason(
        "the provider reads tags and attributes by it in some version that the code is valid for",
        "data/Buckets s3:*TagResource", "data/Buckets s3:ListTagsForResource", "*:ListTags*", "*iam:ListRoleTags",
    ),
    _reason(
        "an argument of the code that is changed in place; no change that is tried here asks for it",
        "compute/KeepOwnTemplates ec2:ModifyLaunchTemplate",
        "compute/KeepOwnMachines ec2:*", "compute/KeepOwnMachines on *volume*",
        "compute/Groups autoscaling:*TrafficSources", "compute/Groups autoscaling:*LoadBalancerTargetGroups",
        "compute/Groups autoscaling:DisableMetricsCollection", "compute/Documents ssm:UpdateDocument*",
        "data/Databases rds:ModifyDBSubnetGroup", "data/Databases rds:ResetDBParameterGroup",
        "data/KeepOwnFileSystems elasticfilesystem:UpdateFileSystem",
        "data/KeepOwnFileSystems elasticfilesystem:ModifyMountTargetSecurityGroups",
        "data/OwnSecrets secretsmanager:UpdateSecret*",
        "edge/LoadBalancers elasticloadbalancing:Set*s", "edge/LoadBalancers elasticloadbalancing:Modify*",
        "edge/* wafv2:UpdateWebACL", "edge/KeepOwnMailIdentities ses:Put*", "edge/ConfigurationSetsOfMail ses:Put*",
        "edge/ConfigurationSetsOfMail ses:Update*", "edge/DeliveryOfLogs logs:UpdateLogDelivery",
        "identity/RolesWithinTheBoundary iam:PutRolePermissionsBoundary", "identity/KeepOwnRoles iam:Update*",
        "keys/* kms:UpdateAlias", "keys/KeepOwnKeys kms:PutKeyPolicy", "keys/KeepOwnKeys kms:UpdateKeyDescription",
        "network/Network ec2:Update*", "network/Network ec2:ReplaceRouteTableAssociation",
        "network/KeepOwnNetwork ec2:Replace*", "network/KeepOwnNetwork ec2:Modify*",
        "operations/LogGroups logs:AssociateKmsKey", "operations/Jobs codebuild:UpdateProject",
        "operations/Functions lambda:Update*",
        "operations/Schedules scheduler:UpdateSchedule",
    ),
    _reason(
        "a release rolls the group, or an operator holds it still; neither is Terraform",
        "compute/Groups autoscaling:*InstanceRefresh", "compute/Groups autoscaling:*Processes",
        "compute/Groups autoscaling:Set*", "compute/Groups autoscaling:TerminateInstance*",
    ),
    _reason(
        "production's secret, once destroyed, can be taken back for thirty days",
        "data/OwnSecrets secretsmanager:RestoreSecret",
    ),
    _reason(
        "development may be given a domain, and then sends mail; here it has none",
        "edge/ConfigurationSetsOfMail on *lyceum-dev",
    ),
    _reason("no recovery point ever exists here", "backup/EmptyDevelopmentsVault"),
    _reason(
        "nothing else allows it; it holds against a right that somebody adds",
        "state/LeaveBootstrapAlone", "keys/LeaveTheStatesKeyAlone", "identity/NeverWithoutTheBoundary",
    ),
)  # fmt: skip

AS_WIDE = (
    _reason("the action knows no other kind of resource, and a zone has neither region nor account in its ARN",
            "edge/AddressOfThePlatform on *", "edge/ProofsOfTheDomain on *"),
)  # fmt: skip
