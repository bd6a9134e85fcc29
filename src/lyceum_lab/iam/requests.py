"""What a call to AWS's API asks of IAM: actions, the resources of each, and the context that conditions look at.

Names and values come from the call's own parameters, from what exists in the account (`Account`), and from AWS's
Service Authorization Reference (actions.py), which says which resources and keys belong to an action. What an API
checks in the caller's name beside its own action is asked for too, where the call shows it: roles handed to a service,
tags on what is made, keys that a service uses, instances that an Auto Scaling group is to launch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lyceum_lab.iam import actions
from lyceum_lab.iam.actions import Action, ResourceType

Parameters = Mapping[str, Any]


class Account(Protocol):
    """What exists, as far as a decision depends on it. Everything is "" or empty when it is not there."""

    number: str

    def tags(self, arn: str) -> dict[str, str]: ...
    def key(self, name: str, region: str) -> str:
        """The ARN of a KMS key by its id, ARN or alias."""

    def aliases(self, arn: str) -> list[str]:
        """What a KMS key is also called."""

    def secret(self, name: str, region: str) -> str:
        """The ARN of a secret by its name or ARN."""

    def secret_key(self, arn: str) -> str:
        """The ARN of the key under which a secret lies; "" for AWS's own."""

    def bucket_key(self, bucket: str) -> str:
        """The ARN of the key under which a bucket's objects lie; "" for S3's own."""

    def boundary(self, arn: str) -> str: ...
    def path(self, kind: str, name: str) -> str:
        """The path of a role, user, group, … of IAM, `/` mostly."""

    def profile_roles(self, name: str) -> list[str]: ...
    def template(self, region: str, told: Parameters) -> Parameters:
        """A launch template's version: `Id` and its `Data`."""

    def image_owner(self, region: str, image: str) -> str: ...
    def file_system(self, region: str, mount_target: str) -> str: ...
    def group(self, region: str, name: str) -> str:
        """The ARN of an Auto Scaling group."""


@dataclass(frozen=True)
class Asked:
    """One action on one resource. `derived` is False when the call does not tell the resource: it is "*" then.

    `because` names the call's own action when this one is only needed by it.
    """

    action: str
    resource: str
    context: dict[str, Any]
    derived: bool = True
    because: str = ""


@dataclass
class Asking:
    """One call on its way to what it asks."""

    service: str  # the signing name
    operation: str
    model: str
    region: str
    parameters: Parameters
    account: Account
    general: dict[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return name_of(self.service, self.model, self.operation)


# ---------------------------------------------------------------------------------------------------- actions

PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "s3control": "s3"}
# The operations of S3 that are not called as their actions are (Amazon S3 User Guide, "Required permissions for API
# operations"), and the few of other services.
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:HeadObject": "s3:GetObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "s3control:PutPublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "s3control:DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "lambda:Invoke": "lambda:InvokeFunction",
    "ses:SendBulkEmail": "ses:SendEmail",
}
# With a version's id, S3 asks for another right.
VERSIONED = {"s3:GetObject": "s3:GetObjectVersion", "s3:DeleteObject": "s3:DeleteObjectVersion"}


def name_of(service: str, model: str, operation: str) -> str:
    """The IAM action of an operation; it need not be one that AWS documents."""
    written = f"{model if model == 's3control' else service}:{operation}"
    if written in ACTIONS:
        return ACTIONS[written]
    return f"{PREFIXES.get(service, service)}:{operation}"


# ---------------------------------------------------------------------------------------------------- the way through

TAGGING = re.compile(r":(CreateTags|AddTags\w*|Tag\w+|CreateOrUpdateTags)$")
CREATING = re.compile(r":(Allocate|Create|Request|Run|Import|Register|Copy|Restore|PutMetricAlarm)")


def asked(call: Asking) -> list[Asked]:
    """Everything that the caller must be allowed for this call, its own action first."""
    own = list(_own(call))
    return [*own, *_tags_on_create(call, own), *_roles(call), *_keys(call), *_secrets(call), *_launches(call)]


def _own(call: Asking) -> Iterator[Asked]:
    if call.service == "s3" and call.model == "s3" and call.operation in {"DeleteObjects"}:
        bucket = call.parameters.get("Bucket", "")
        for each in (call.parameters.get("Delete") or {}).get("Objects") or []:
            name = "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject"
            yield _ask(call, name, f"arn:aws:s3:::{bucket}/{each.get('Key', '')}")
        return
    name = call.action
    if call.service == "s3" and call.parameters.get("VersionId") not in {None, "", "null"}:
        name = VERSIONED.get(name, name)
    yield from _ask_all(call, name)


def _ask_all(call: Asking, name: str) -> Iterator[Asked]:
    action = actions.find(name)
    if action is None:
        yield _ask(call, name, "*", derived=False)
        return
    if not action.types:
        yield _ask(call, name, "*", action=action, target=None)
        return
    found = list(_resources(call, action))
    if not found:
        yield _ask(call, name, "*", action=action, derived=False)
    for kind, arn in found:
        yield _ask(call, name, arn, action=action, target=kind)


def _ask(call: Asking, name: str, resource: str, *, action: Action | None = None, target: ResourceType | None = None,
         derived: bool = True, because: str = "", more: Mapping[str, Any] | None = None) -> Asked:  # fmt: skip
    action = action or actions.find(name)
    context = {**call.general, **_context(call, name, resource)}
    kind = target
    if kind is None and action:
        kind = next((t for t in action.types if _fits(t.arn, resource)), None)
    sent = _request_tags(call, kind)
    told = {
        **({f"aws:RequestTag/{key}": value for key, value in sent.items()}),
        **({"aws:TagKeys": sorted(sent)} if sent else {}),
    }
    if action and derived:
        tag_keys = kind.tag_keys if kind else bool({"aws:requesttag/"} & action.keys)
        told = told if tag_keys else {}
    context |= told
    if resource != "*":
        held = call.account.tags(resource)
        prefix = action.service if action else ""
        context |= {f"aws:ResourceTag/{key}": value for key, value in held.items()}
        context |= {f"{prefix}:ResourceTag/{key}": value for key, value in held.items()}
    if action and derived:
        keys = kind.keys if kind else action.keys
        context = {key: value for key, value in context.items() if _belongs(key.lower(), keys, kind)}
    return Asked(name, resource, {**context, **(more or {})}, derived, because)


# Keys of every request (IAM User Guide, "AWS global condition context keys"); the tags' are told per action.
def _belongs(key: str, keys: frozenset[str], kind: ResourceType | None) -> bool:
    if key.startswith(("aws:requesttag/", "aws:tagkeys")):
        return True
    if key.startswith("aws:resourcetag/"):
        # The reference leaves the key out for some kinds that have tags; then nothing is known, and it is not told.
        return kind is None or "aws:resourcetag/" in keys
    if key.startswith("aws:"):
        return True
    return key in keys or f"{key.rpartition('/')[0]}/" in keys


# ---------------------------------------------------------------------------------------------------- tags


def _request_tags(call: Asking, kind: ResourceType | None) -> dict[str, str]:
    """The tags that the call sets: on a resource of that kind where it says so, as EC2 does."""
    found: dict[str, str] = {}
    template = _template_of(call) if call.operation == "RunInstances" else {}
    specifications = [
        *(call.parameters.get("TagSpecifications") or call.parameters.get("TagSpecification") or []),
        *((template.get("Data") or {}).get("TagSpecifications") or []),
    ]
    for each in specifications:
        if kind is None or each.get("ResourceType") == kind.name:
            found |= _pairs(each.get("Tags"))
    for name in (
        "Tags",
        "tags",
        "TagList",
        "TagsList",
        "tagList",
        "BackupVaultTags",
        "BackupPlanTags",
        "FileSystemTags",
    ):
        found |= _pairs(call.parameters.get(name))
    return found


def _pairs(told: Any) -> dict[str, str]:
    if isinstance(told, Mapping):
        if set(told) == {"Items"}:
            return _pairs(told["Items"])
        return {str(key): str(value) for key, value in told.items()}
    pairs = {}
    for each in told or []:
        if isinstance(each, Mapping):
            lower = {str(key).lower(): value for key, value in each.items()}
            key = lower.get("key", lower.get("tagkey"))
            if key is not None:
                pairs[str(key)] = str(lower.get("value", lower.get("tagvalue")) or "")
    return pairs


# What the reference leaves out and the services' own guides ask for, where a resource is tagged while it is made
# (mostly "Tagging your resources" or "Actions that require additional permissions" there).
TAGGED_BY: dict[str, tuple[str, ...]] = {
    "acm": ("acm:AddTagsToCertificate",),
    "autoscaling": ("autoscaling:CreateOrUpdateTags",),
    "backup": ("backup:TagResource",),
    "cloudwatch": ("cloudwatch:TagResource",),
    "dynamodb": ("dynamodb:TagResource",),
    "iam:CreateInstanceProfile": ("iam:TagInstanceProfile",),
    "iam:CreatePolicy": ("iam:TagPolicy",),
    "iam:CreateRole": ("iam:TagRole",),
    "iam:CreateUser": ("iam:TagUser",),
    "lambda": ("lambda:TagResource",),
    "logs": ("logs:TagResource",),
    "secretsmanager": ("secretsmanager:TagResource",),
    "ses": ("ses:TagResource",),
    "sns": ("sns:TagResource",),
    "ssm": ("ssm:AddTagsToResource",),
}


def _tags_on_create(call: Asking, own: list[Asked]) -> Iterator[Asked]:
    """Whoever makes something with tags needs the right to tag it, where the reference says so."""
    name = call.action
    action = actions.find(name)
    if action is None or not CREATING.search(name):
        return
    operation = name.partition(":")[2]
    if call.service == "ec2":
        for each in call.parameters.get("TagSpecifications") or call.parameters.get("TagSpecification") or []:
            arn = f"arn:aws:ec2:{call.region}:{call.account.number}:{each.get('ResourceType')}/*"
            yield _tagging(call, "ec2:CreateTags", arn, operation, _pairs(each.get("Tags")))
        return
    sent = _request_tags(call, None)
    if not sent:
        return
    needs = [need for need in action.needs if need.startswith(f"{action.service}:") and TAGGING.search(need)]
    for needed in needs or TAGGED_BY.get(name, TAGGED_BY.get(action.service, ())):
        on = actions.find(needed)
        for arn in sorted({each.resource.removesuffix(":log-stream:") for each in own}):
            if on is None or not on.types or arn == "*" or any(_fits(kind.arn, arn) for kind in on.types):
                yield _tagging(call, needed, arn, operation, sent)


def _tagging(call: Asking, name: str, arn: str, operation: str, sent: Mapping[str, str]) -> Asked:
    told = {f"aws:RequestTag/{key}": value for key, value in sent.items()} | {"aws:TagKeys": sorted(sent)}
    told |= {f"{name.split(':')[0]}:CreateAction": operation}
    action = actions.find(name)
    known = arn != "*" or action is None or not action.types
    return _ask(call, name, arn, derived=known, because=call.action, more=told)


# ---------------------------------------------------------------------------------------------------- resources

EC2_KINDS = {
    "acl": "network-acl", "ami": "image", "dopt": "dhcp-options", "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log", "i": "instance",
    "igw": "internet-gateway", "lt": "launch-template", "nat": "natgateway", "pl": "prefix-list",
    "rtb": "route-table", "sg": "security-group", "sgr": "security-group-rule", "snap": "snapshot",
    "subnet": "subnet", "vol": "volume", "vpc": "vpc", "vpce": "vpc-endpoint",
}  # fmt: skip
EC2_ID = re.compile(r"([a-z]+)-[0-9a-f]{8,17}")

# By IAM prefix and kind of resource: the parameters, one of which carries the last part of its ARN.
NAMED: dict[str, dict[str, tuple[str, ...]]] = {
    "backup": {"backupVault": ("BackupVaultName",), "backupPlan": ("BackupPlanId",)},
    "cloudtrail": {"trail": ("Name", "TrailName")},
    "cloudwatch": {"alarm": ("AlarmName", "AlarmNames"), "dashboard": ("DashboardName", "DashboardNames")},
    "codebuild": {"project": ("name", "names", "projectName")},
    "dynamodb": {"table": ("TableName",)},
    "elasticfilesystem": {
        "file-system": ("FileSystemId", "ResourceId"),
        "access-point": ("AccessPointId", "ResourceId"),
    },
    "lambda": {"function": ("FunctionName",)},
    "rds": {
        "db": ("DBInstanceIdentifier",), "pg": ("DBParameterGroupName",), "subgrp": ("DBSubnetGroupName",),
        "og": ("OptionGroupName",), "snapshot": ("DBSnapshotIdentifier", "FinalDBSnapshotIdentifier"),
    },
    "route53": {"hostedzone": ("HostedZoneId", "Id", "ResourceId"), "change": ("Id",)},
    "ses": {"identity": ("EmailIdentity",), "configuration-set": ("ConfigurationSetName",)},
    "sns": {"topic": ("Name",)},
    "sqs": {"queue": ("QueueName", "QueueUrl")},
    "ssm": {"document": ("Name",), "parameter": ("Name", "Names")},
    "sts": {"role": ("RoleArn",)},
}  # fmt: skip


# Kinds that share a parameter, and how the ids of each begin.
PREFIXED = {"file-system": "fs-", "access-point": "fsap-"}


def _resources(call: Asking, action: Action) -> Iterator[tuple[ResourceType, str]]:
    """The resources of a call, each as its ARN. Of what is only being made, what is not known yet is `*`."""
    seen: set[str] = set()
    for kind, arn in _candidates(call, action):
        if arn and arn not in seen:
            seen.add(arn)
            yield kind, arn


def _candidates(call: Asking, action: Action) -> Iterator[tuple[ResourceType, str]]:
    kinds = {kind.name: kind for kind in action.types}
    special = {
        "ec2": _of_ec2, "s3": _of_s3, "iam": _of_iam, "kms": _of_kms, "secretsmanager": _of_secrets,
        "elasticloadbalancing": _of_load_balancers, "wafv2": _of_firewall, "autoscaling": _of_groups,
        "scheduler": _of_schedules, "logs": _of_logs, "ssm": _of_sessions,
    }.get(action.service)  # fmt: skip
    if special:
        for name, arn in special(call, action):
            if name in kinds:
                yield kinds[name], arn
    any_found = False
    for name, parameters in NAMED.get(action.service, {}).items():
        if name not in kinds:
            continue
        for value in _values(call.parameters, parameters):
            if name in PREFIXED and not value.startswith((PREFIXED[name], "arn:")):
                continue
            any_found = True
            yield (
                kinds[name],
                value if value.startswith("arn:") else _named(call, action.service, kinds[name].arn, value),
            )
    if action.service == "elasticfilesystem" and (target := call.parameters.get("MountTargetId")):
        system = call.account.file_system(call.region, target)
        if system and "file-system" in kinds:
            yield kinds["file-system"], _fill(kinds["file-system"].arn, call, system)
    # ARNs that the call names, wherever they stand: those of the kinds that the action knows.
    for text in _strings(call.parameters):
        if text.startswith("arn:aws") and action.service != "ec2":
            fitting = [kind for kind in action.types if _fits(kind.arn, text)]
            if fitting:
                any_found = True
                yield max(fitting, key=lambda kind: len(_bare(kind.arn))), text
    if not any_found and not special and CREATING.search(action.name):
        required = [kind for kind in action.types if kind.required] or list(action.types)
        if len(required) == 1:
            yield required[0], _fill(required[0].arn, call, "*")


def _of_ec2(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    told = dict(call.parameters)
    for name in ("TagSpecifications", "TagSpecification", "UserData", "ClientToken"):
        told.pop(name, None)
    if call.operation == "RunInstances":
        template = _template_of(call)
        told["-"] = [template.get("Id"), template.get("Data")]
    if call.operation in {"CreateLaunchTemplate", "CreateLaunchTemplateVersion"}:
        told.pop("LaunchTemplateData", None)  # is kept, not used: nothing in it is asked for
    if template_name := call.parameters.get("LaunchTemplateName"):
        told["-"] = [told.get("-"), call.account.template(call.region, {"LaunchTemplateName": template_name}).get("Id")]
    found: set[str] = set()
    known = {kind.name for kind in action.types}
    for text in _strings(told):
        for one in text.split(","):
            match = EC2_ID.fullmatch(one)
            name = EC2_KINDS.get(match[1], "") if match else ""
            if name in known:
                found.add(name)
                owner = "" if name in {"image", "snapshot"} else call.account.number
                yield name, f"arn:aws:ec2:{call.region}:{owner}:{name}/{one}"
    if CREATING.search(action.name):
        for kind in action.types:
            if kind.required and kind.name not in found:
                yield kind.name, f"arn:aws:ec2:{call.region}:{call.account.number}:{kind.name}/*"


def _of_s3(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    if bucket and key:
        yield "object", f"arn:aws:s3:::{bucket}/{key}"
    if bucket:
        yield "bucket", f"arn:aws:s3:::{bucket}"


def _of_iam(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    told = call.parameters
    for parameter, kind in (
        ("RoleName", "role"), ("UserName", "user"), ("GroupName", "group"), ("InstanceProfileName", "instance-profile"),
        ("VirtualMFADeviceName", "mfa"), ("PolicyName", "policy"),
    ):  # fmt: skip
        if name := told.get(parameter):
            path = told.get("Path") or call.account.path(kind, name) or "/"
            yield kind, f"arn:aws:iam::{call.account.number}:{kind}{path}{name}"
    if action.name == "iam:CreateServiceLinkedRole":
        yield "role", f"arn:aws:iam::{call.account.number}:role/aws-service-role/{told.get('AWSServiceName')}/*"
    if (arn := told.get("PolicyArn")) and not told.get("RoleName") and not told.get("GroupName"):
        yield "policy", arn
    if serial := told.get("SerialNumber"):
        yield "mfa", serial
    # Those who ask about themselves need not say who they are.
    about_users = any(kind.name == "user" for kind in action.types)
    own = call.general.get("aws:username")
    named = any(told.get(name) for name in ("UserName", "RoleName", "VirtualMFADeviceName"))
    if own and about_users and not named:
        yield "user", f"arn:aws:iam::{call.account.number}:user/{own}"


def _of_kms(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    key = call.parameters.get("KeyId") or call.parameters.get("TargetKeyId")
    alias = call.parameters.get("AliasName")
    if alias:
        yield "alias", f"arn:aws:kms:{call.region}:{call.account.number}:{alias}"
        key = key or alias
    if key:
        yield "key", call.account.key(key, call.region)


def _of_secrets(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    if name := call.parameters.get("SecretId"):
        yield "Secret", call.account.secret(name, call.region)
    elif name := call.parameters.get("Name"):
        yield "Secret", f"arn:aws:secretsmanager:{call.region}:{call.account.number}:secret:{name}-*"


def _of_load_balancers(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    prefix = f"arn:aws:elasticloadbalancing:{call.region}:{call.account.number}"
    name = call.parameters.get("Name")
    if call.operation == "CreateLoadBalancer" and name:
        short = {"network": "net", "gateway": "gwy"}.get(call.parameters.get("Type", ""), "app")
        yield f"loadbalancer/{short}/", f"{prefix}:loadbalancer/{short}/{name}/*"
    if call.operation == "CreateTargetGroup" and name:
        yield "targetgroup", f"{prefix}:targetgroup/{name}/*"


def _of_firewall(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    scope = "regional" if call.parameters.get("Scope") == "REGIONAL" else "global"
    name, number = call.parameters.get("Name"), call.parameters.get("Id") or "*"
    if name and call.operation in {"CreateWebACL", "GetWebACL", "UpdateWebACL", "DeleteWebACL"}:
        yield "webacl", f"arn:aws:wafv2:{call.region}:{call.account.number}:{scope}/webacl/{name}/{number}"
    for rule in call.parameters.get("Rules") or []:
        group = (rule.get("Statement") or {}).get("ManagedRuleGroupStatement")
        if group:
            yield (
                "managedruleset",
                f"arn:aws:wafv2:{call.region}:aws:{scope}/managedruleset/{group['VendorName']}/{group['Name']}",
            )


def _of_groups(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    names = set(_values(call.parameters, ("AutoScalingGroupName",)))
    names |= {tag.get("ResourceId") for tag in call.parameters.get("Tags") or [] if tag.get("ResourceId")}
    for name in sorted(names):
        arn = call.account.group(call.region, name)
        yield (
            "autoScalingGroup",
            arn
            or f"arn:aws:autoscaling:{call.region}:{call.account.number}"
            f":autoScalingGroup:*:autoScalingGroupName/{name}",
        )


def _of_schedules(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    if name := call.parameters.get("Name"):
        group = call.parameters.get("GroupName") or "default"
        yield "schedule", f"arn:aws:scheduler:{call.region}:{call.account.number}:schedule/{group}/{name}"


def _of_sessions(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    """A session is asked for on an instance and by a document; AWS's own documents are in no account."""
    told = call.parameters
    if call.operation == "StartSession":
        yield "instance", f"arn:aws:ec2:{call.region}:{call.account.number}:instance/{told.get('Target')}"
        name = told.get("DocumentName") or "SSM-SessionManagerRunShell"
        owner = "" if name.startswith("AWS-") else call.account.number
        yield "document", f"arn:aws:ssm:{call.region}:{owner}:document/{name}"
    if session := told.get("SessionId"):
        yield "session", f"arn:aws:ssm:{call.region}:{call.account.number}:session/{session}"


def _of_logs(call: Asking, action: Action) -> Iterator[tuple[str, str]]:
    """CloudWatch Logs holds all but the tagging of a group against the ARN that ends in `:*` (its User Guide, "Overview
    of managing access permissions"); its refusals write it as a stream without a name.
    """
    if name := call.parameters.get("logGroupName"):
        group = f"arn:aws:logs:{call.region}:{call.account.number}:log-group:{name}"
        stream = call.parameters.get("logStreamName", "")
        yield "log-stream", f"{group}:log-stream:{stream}"
        yield "log-group", f"{group}:log-stream:{stream if call.operation == 'CreateLogStream' else ''}"


def _named(call: Asking, service: str, arn: str, value: str) -> str:
    if service in {"sqs", "route53"}:  # an address, or a path
        return _fill(arn, call, value.rsplit("/", 1)[-1])
    if service == "ssm" and value.startswith("/aws/service/"):  # a parameter of AWS's own, in no account
        return f"arn:aws:ssm:{call.region}::parameter{value}"
    return _fill(arn, call, value.removeprefix("/") if service == "ssm" else value)


def _fill(arn: str, call: Asking, last: str) -> str:
    """The format of an ARN with the account's values, every other variable being `last`."""
    values = {"Partition": "aws", "Region": call.region, "Account": call.account.number}
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], last), arn)


def _bare(arn: str) -> str:
    return re.sub(r"\$\{\w+\}", "", arn)


def _fits(pattern: str, arn: str) -> bool:
    """Whether an ARN is of a format. The last variable reaches to the end, whatever it holds."""
    parts = re.split(r"\$\{\w+\}", pattern)
    return (
        re.fullmatch("[^:]*".join(re.escape(p) for p in parts[:4]) + ".+".join(["", *map(re.escape, parts[4:])]), arn)
        is not None
    )


def _values(parameters: Parameters, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        value = parameters.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                yield one


def _strings(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        for value in told.values():
            yield from _strings(value)
    elif isinstance(told, (list, tuple)):
        for value in told:
            yield from _strings(value)
    elif isinstance(told, str):
        yield told


# ---------------------------------------------------------------------------------------------------- context


def _context(call: Asking, name: str, resource: str) -> dict[str, Any]:
    """The keys of single services that our policies look at."""
    told = call.parameters
    found: dict[str, Any] = {}
    if name.startswith("iam:"):
        if "Role" in name or "User" in name:
            found["iam:PermissionsBoundary"] = (
                told.get("PermissionsBoundary") or call.account.boundary(resource) or None
            )
        found["iam:PolicyARN"] = told.get("PolicyArn")
        found["iam:AWSServiceName"] = told.get("AWSServiceName")
    elif name == "route53:ChangeResourceRecordSets":
        changes = (told.get("ChangeBatch") or {}).get("Changes") or []
        changes = changes.get("Change", changes) if isinstance(changes, Mapping) else changes
        sets = [change["ResourceRecordSet"] for change in changes]
        found["route53:ChangeResourceRecordSetsNormalizedRecordNames"] = sorted(
            {str(each["Name"]).lower().rstrip(".") for each in sets}
        )
        found["route53:ChangeResourceRecordSetsRecordTypes"] = sorted({each["Type"] for each in sets})
        found["route53:ChangeResourceRecordSetsActions"] = sorted({change["Action"] for change in changes})
    elif name == "backup:PutBackupVaultLockConfiguration":
        for key in ("ChangeableForDays", "MaxRetentionDays", "MinRetentionDays"):
            found[f"backup:{key}"] = told.get(key)
    elif name.startswith("kms:"):
        found["kms:CallerAccount"] = call.account.number
        found["kms:ResourceAliases"] = call.account.aliases(resource) or None
        key = str(told.get("KeyId") or "") if call.service == "kms" else ""
        found["kms:RequestAlias"] = key.rpartition(":")[2] if "alias/" in key else None
        if name == "kms:CreateGrant":  # whoever asks KMS himself asks for no service
            found["kms:GrantIsForAWSResource"] = False
            found["kms:GrantOperations"] = told.get("Operations")
    elif name == "elasticfilesystem:CreateFileSystem":
        found["elasticfilesystem:Encrypted"] = bool(told.get("Encrypted"))
    elif name.startswith("s3:"):
        found["s3:prefix"] = told.get("Prefix")
        found["s3:versionid"] = told.get("VersionId")
        found["s3:x-amz-server-side-encryption"] = told.get("ServerSideEncryption")
        found["s3:if-none-match"] = told.get("IfNoneMatch")
    elif name == "ec2:CreateTags" and call.operation == "CreateTags":
        pass  # ec2:CreateAction is told only while something is made
    elif name == "ec2:RunInstances":
        found |= _launch_context(call, resource)
    elif name == "cloudwatch:PutMetricData":
        found["cloudwatch:namespace"] = told.get("Namespace")
    elif name in {"ses:SendEmail", "ses:SendRawEmail"}:
        found["ses:FromAddress"] = told.get("FromEmailAddress") or told.get("Source")
    elif name == "rds:CreateDBInstance":
        found["rds:PubliclyAccessible"] = told.get("PubliclyAccessible")
    return found


def _launch_context(call: Asking, resource: str) -> dict[str, Any]:
    template = _template_of(call)
    data = {**(template.get("Data") or {}), **call.parameters}
    kind = resource.split(":")[-1].split("/")[0]
    found: dict[str, Any] = {"ec2:IsLaunchTemplateResource": bool(template)}
    if template:
        found["ec2:LaunchTemplate"] = (
            f"arn:aws:ec2:{call.region}:{call.account.number}:launch-template/{template['Id']}"
        )
    if kind == "instance":
        found["ec2:InstanceType"] = data.get("InstanceType")
        metadata = data.get("MetadataOptions") or {}
        # AWS's own default since the images of Amazon Linux 2023 ask for a token; an image may say otherwise.
        found["ec2:MetadataHttpTokens"] = metadata.get("HttpTokens")
        found["ec2:MetadataHttpEndpoint"] = metadata.get("HttpEndpoint")
        profile = _profile(data)
        if profile:
            path = call.account.path("instance-profile", profile) or "/"
            found["ec2:InstanceProfile"] = f"arn:aws:iam::{call.account.number}:instance-profile{path}{profile}"
    if kind == "image":
        found["ec2:Owner"] = call.account.image_owner(call.region, resource.rsplit("/", 1)[-1]) or None
    return found


def _profile(data: Parameters) -> str:
    profile = data.get("IamInstanceProfile") or {}
    return str(profile.get("Name") or str(profile.get("Arn") or "").rsplit("/", 1)[-1])


def _template_of(call: Asking) -> Parameters:
    told = call.parameters.get("LaunchTemplate")
    return call.account.template(call.region, told) if told else {}


# ------------------------------------------------------------------------------------------------- what else is needed

# Where a call hands a role to a service: the parameter, by its path, and the service.
PASSED = {
    "backup:CreateBackupSelection": ("BackupSelection.IamRoleArn", "backup"),
    "cloudtrail:CreateTrail": ("CloudWatchLogsRoleArn", "cloudtrail"),
    "cloudtrail:UpdateTrail": ("CloudWatchLogsRoleArn", "cloudtrail"),
    "codebuild:CreateProject": ("serviceRole", "codebuild"),
    "codebuild:UpdateProject": ("serviceRole", "codebuild"),
    "ec2:CreateFlowLogs": ("DeliverLogsPermissionArn", "vpc-flow-logs"),
    "lambda:CreateFunction": ("Role", "lambda"),
    "lambda:UpdateFunctionConfiguration": ("Role", "lambda"),
    "rds:CreateDBInstance": ("MonitoringRoleArn", "monitoring.rds"),
    "rds:ModifyDBInstance": ("MonitoringRoleArn", "monitoring.rds"),
    "scheduler:CreateSchedule": ("Target.RoleArn", "scheduler"),
    "scheduler:UpdateSchedule": ("Target.RoleArn", "scheduler"),
}


def _roles(call: Asking) -> Iterator[Asked]:
    name = call.action
    if name in PASSED:
        path, service = PASSED[name]
        value: Any = call.parameters
        for part in path.split("."):
            value = (value or {}).get(part)
        if value:
            yield _pass(call, str(value), service)
    elif name == "iam:AddRoleToInstanceProfile":
        role = call.parameters.get("RoleName", "")
        yield _pass(
            call, f"arn:aws:iam::{call.account.number}:role{call.account.path('role', role) or '/'}{role}", "ec2"
        )
    elif name in {"ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation"}:
        yield from (_pass(call, role, "ec2") for role in call.account.profile_roles(_profile(call.parameters)))
    elif name == "ec2:RunInstances":
        profile = _profile({**(_template_of(call).get("Data") or {}), **call.parameters})
        yield from (_pass(call, role, "ec2") for role in call.account.profile_roles(profile))


def _pass(call: Asking, role: str, service: str) -> Asked:
    told = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return _ask(call, "iam:PassRole", role, because=call.action, more=told)


def _launches(call: Asking) -> Iterator[Asked]:
    """Who makes a group, or points it at another version, must be allowed to launch what the version says."""
    if call.action not in {"autoscaling:CreateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup"}:
        return
    mixed = (call.parameters.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    template = call.parameters.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    if not template:
        return
    parameters = {"LaunchTemplate": template, "SubnetId": call.parameters.get("VPCZoneIdentifier", "").split(",")[0]}
    launch = Asking("ec2", "RunInstances", "ec2", call.region, parameters, call.account, call.general)
    tags = (_template_of(launch).get("Data") or {}).get("TagSpecifications") or []
    yield from (_because(one, call) for one in _own(launch))
    yield from (_because(one, call) for one in _roles(launch))
    for each in tags:
        arn = f"arn:aws:ec2:{call.region}:{call.account.number}:{each.get('ResourceType')}/*"
        yield _because(_tagging(launch, "ec2:CreateTags", arn, "RunInstances", _pairs(each.get("Tags"))), call)


def _because(one: Asked, call: Asking) -> Asked:
    return Asked(one.action, one.resource, one.context, one.derived, call.action)


# What services do with a key in the caller's name. The reference says it of some (needs of the action); of these their
# own guides do: EFS "Encrypting data at rest", DynamoDB Developer Guide "Encryption at rest: usage notes",
# Secrets Manager "Secret encryption", Amazon S3 "Using server-side encryption with AWS KMS keys", SNS "Key management".
KEY_USES: dict[str, tuple[str, ...]] = {
    "elasticfilesystem:CreateFileSystem": ("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"),
    "dynamodb:CreateTable": ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"),
    "secretsmanager:CreateSecret": ("kms:Decrypt", "kms:GenerateDataKey"),
}
OWN_KEY = {"kms"}  # services whose own action is on the key already


def _keys(call: Asking) -> Iterator[Asked]:
    name = call.action
    action = actions.find(name)
    if action is None or action.service in OWN_KEY:
        return
    via = f"{_endpoint(call)}.{call.region}.amazonaws.com"
    if action.service == "s3":
        yield from _object_key(call, name, via)
        return
    if action.service == "secretsmanager" and name in {
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
    }:
        key = call.account.secret_key(call.account.secret(call.parameters.get("SecretId", ""), call.region))
        reads = name.endswith("GetSecretValue")
        uses: tuple[str, ...] = ("kms:Decrypt",) if reads else ("kms:Decrypt", "kms:GenerateDataKey")
        yield from (_use(call, use, key, via) for use in uses if key)
        return
    uses = tuple(need for need in action.needs if need.startswith("kms:")) or KEY_USES.get(name, ())
    if uses:
        keys = {text for text in _strings(call.parameters) if re.fullmatch(r"arn:aws:kms:[^:]+:\d+:key/.+", text)}
        yield from (_use(call, use, key, via) for key in sorted(keys) for use in uses)


def _object_key(call: Asking, name: str, via: str) -> Iterator[Asked]:
    bucket = call.parameters.get("Bucket", "")
    if name in {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"} and call.parameters.get("Key"):
        key = call.parameters.get("SSEKMSKeyId") or call.account.bucket_key(bucket)
        if key := call.account.key(key, call.region) if key else "":
            yield _use(call, "kms:GenerateDataKey" if name == "s3:PutObject" else "kms:Decrypt", key, via)


def _endpoint(call: Asking) -> str:
    return {"monitoring": "cloudwatch"}.get(call.service, call.service)


def _use(call: Asking, use: str, key: str, via: str) -> Asked:
    told = {"kms:ViaService": via, "kms:CallerAccount": call.account.number, "aws:ViaAWSService": True}
    if use == "kms:CreateGrant":
        told["kms:GrantIsForAWSResource"] = True
    return _ask(call, use, key, because=call.action, more=told)


def _secrets(call: Asking) -> Iterator[Asked]:
    """RDS makes the secret of a master password in the caller's name."""
    if call.action in {"rds:CreateDBInstance", "rds:ModifyDBInstance"} and call.parameters.get(
        "ManageMasterUserPassword"
    ):
        arn = f"arn:aws:secretsmanager:{call.region}:{call.account.number}:secret:rds!db-*"
        for name in ("secretsmanager:CreateSecret", "secretsmanager:TagResource"):
            yield _ask(call, name, arn, because=call.action)
