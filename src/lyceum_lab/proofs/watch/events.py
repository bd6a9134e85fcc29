"""CloudTrail's events, in the shape that its User Guide gives ("CloudTrail record contents", "CloudTrail userIdentity
element", "AWS Management Console sign-in events", "Non-API events"): a normal day, and attacks with what each has to
raise. Written by hand; what the deployer does in a day comes from the calls of a real apply (`of_calls`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.trail import DATA, record
from lyceum_lab.rehearsal.infrastructure import REGION

Event = dict[str, Any]
ANOTHER = "210987654321"
MORNING = "2026-05-04T09:12:41Z"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.4"
)
CLI = "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.13.7 cfg/retry-mode#standard"
BOTO = "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.2"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Attack:
    """What somebody does, and every alarm that it has to raise: no other."""

    what: str
    raises: frozenset[str]
    event: Event


# ------------------------------------------------------------------------------------------------------------- who


def session(role: str, *, account: str = ACCOUNT, name: str = "session") -> Event:
    """Of an assumed role."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE000000000:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLE000000000",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE000000000",
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-05-04T08:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def user(name: str) -> Event:
    return {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE000000000",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAEXAMPLE000000000",
        "userName": name,
    }


ROOT: Event = {
    "type": "Root",
    "principalId": ACCOUNT,
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
    "accountId": ACCOUNT,
    "accessKeyId": "",
}
# Of a name that is not there CloudTrail tells nothing: it might be a password in the wrong field.
NOBODY: Event = {
    "type": "IAMUser",
    "accountId": ACCOUNT,
    "accessKeyId": "",
    "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
}


def service(name: str) -> Event:
    return {"type": "AWSService", "invokedBy": name}


DEPLOYER, APPLY = session("lyceum-deployer", name="lyceum-deployer"), session("lyceum-pipeline-apply")
SERVER, ADMINISTRATOR = session("lyceum-prod-server", name="i-0123456789abcdef0"), user("administrator")


# ------------------------------------------------------------------------------------------------------------- what


def call(
    who: Event,
    source: str,
    name: str,
    *,
    agent: str = CLI,
    address: str = "198.51.100.7",
    refused: str = "",
    **more: Any,
) -> Event:
    """An API call; `source` without `.amazonaws.com`, `refused` an error's code."""
    event = record(who, source, name, at=MORNING, region=REGION, address=address, agent=agent, error=refused)
    if refused:
        event["errorMessage"] = "User is not authorized to perform this operation"
    return event | more


def sign_in(who: Event, *, failure: str = "") -> Event:
    """At the console; `failure` is the message of one that failed."""
    event = call(who, "signin", "ConsoleLogin", agent=BROWSER, readOnly=False, eventType="AwsConsoleSignIn")
    event["responseElements"] = {"ConsoleLogin": "Failure" if failure else "Success"}
    event["additionalEventData"] = {
        "MobileVersion": "No",
        "MFAUsed": "Yes",
        "LoginTo": "https://console.aws.amazon.com/",
    }
    return event | ({"errorMessage": failure} if failure else {})


# ------------------------------------------------------------------------------------------------------ a normal day


def of_calls(lines: Iterable[str], *, policies: str, who: Event) -> list[Event]:
    """What the emulator recorded of those whose rights are `policies`, each kind of call once, as `who` did it.

    A refusal is one here too: were it to happen every day, it would ring every day.
    """
    found: dict[tuple[str, ...], Event] = {}
    for line in lines:
        told = json.loads(line)
        if not any(one["by"].startswith(policies) for one in told.get("iam", ())):
            continue
        kind = (told["service"], told["operation"])
        if kind in DATA or not all(kind):
            continue
        error = "" if told["status"] < 400 else "AccessDenied" if told["status"] == 403 else "ResourceNotFoundException"
        # Amazon SES signs as `ses`; all others are named as they sign.
        found[(*kind, error, told["agent"])] = call(who, *kind, agent=told["agent"], refused=error)
    return list(found.values())


def normal_day() -> list[Event]:
    """What else happens on a day on which nothing does."""
    operator = session("AWSReservedSSO_ReadOnly_0123456789abcdef", name="operator")
    release = session("lyceum-pipeline-release")
    scaling, support, internal, delivery = (
        {"agent": name, "address": name}
        for name in (
            "autoscaling.amazonaws.com",
            "support.amazonaws.com",
            "AWS Internal",
            "delivery.logs.amazonaws.com",
        )
    )

    def several(who: Event, source: str, names: str, agent: str = CLI) -> list[Event]:
        return [call(who, source, name, agent=agent) for name in names.split()]

    return [
        sign_in(operator),
        sign_in(user("operator")),
        call(user("lyceum-deployer"), "sts", "AssumeRole", agent=BOTO),
        # The pipeline's apply, and a release, which is no Terraform's.
        *several(APPLY, "iam", "PutRolePolicy CreatePolicyVersion AttachRolePolicy", TERRAFORM),
        *several(APPLY, "ec2", "AuthorizeSecurityGroupIngress ReplaceNetworkAclEntry", TERRAFORM),
        call(APPLY, "s3", "PutBucketPolicy", agent=f"[{TERRAFORM}]"),
        *several(release, "autoscaling", "StartInstanceRefresh DescribeInstanceRefreshes", BOTO),
        call(release, "ec2", "CreateLaunchTemplateVersion", agent=BOTO),
        call(DEPLOYER, "monitoring", "DescribeAlarms", agent=BOTO),
        # Servers at work, and people who only look.
        *several(SERVER, "secretsmanager", "GetSecretValue DescribeSecret", BOTO),
        call(SERVER, "ssm", "UpdateInstanceInformation", agent="amazon-ssm-agent/3.3"),
        *several(operator, "iam", "GetRolePolicy ListAttachedRolePolicies SimulatePrincipalPolicy"),
        *several(operator, "ec2", "DescribeSecurityGroups DescribeNetworkAcls"),
        *several(operator, "s3", "GetBucketPolicy GetBucketPublicAccessBlock"),
        call(operator, "cloudtrail", "GetTrailStatus"),
        # The same word, another service's.
        call(ADMINISTRATOR, "logs", "PutMetricFilter"),
        # AWS's own: for itself, in our role's name, in root's name, and its keys' rotation.
        call(service("autoscaling.amazonaws.com"), "sts", "AssumeRole", **scaling),
        call(session("AWSServiceRoleForAutoScaling", name="AutoScaling"), "ec2", "RunInstances", **scaling),
        call({**ROOT, "invokedBy": "support.amazonaws.com"}, "trustedadvisor", "DescribeCheckSummaries", **support),
        call({**ROOT, "invokedBy": "AWS Internal"}, "kms", "GenerateDataKey", **internal),
        call({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, "kms", "RotateKey", eventType="AwsServiceEvent"),
        call(ROOT, "organizations", "AccountUpdated", eventType="AwsServiceEvent"),
        # Refusals that the benchmark calls ordinary.
        call(service("delivery.logs.amazonaws.com"), "s3", "GetBucketAcl", refused="AccessDenied", **delivery),
        call(operator, "s3", "HeadBucket", refused="AccessDenied"),
        # What was not found was not refused.
        call(DEPLOYER, "s3", "GetBucketPolicy", agent=TERRAFORM, refused="NoSuchBucketPolicy"),
        call(DEPLOYER, "iam", "GetRole", agent=TERRAFORM, refused="NoSuchEntityException"),
    ]


# ---------------------------------------------------------------------------------------------------------- attacks

# The calls that CIS and we want to hear of, by what has to ring.
CHANGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "iam-changes": ("iam", (
        "AddUserToGroup", "AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy", "CreateAccessKey",
        "CreateLoginProfile", "CreatePolicy", "CreatePolicyVersion", "DeleteGroupPolicy", "DeletePolicy",
        "DeletePolicyVersion", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DeleteUserPermissionsBoundary",
        "DeleteUserPolicy", "DetachGroupPolicy", "DetachRolePolicy", "DetachUserPolicy", "PutGroupPolicy",
        "PutRolePermissionsBoundary", "PutRolePolicy", "PutUserPermissionsBoundary", "PutUserPolicy",
        "SetDefaultPolicyVersion", "UpdateAssumeRolePolicy", "UpdateLoginProfile",
    )),
    "trail-changes": ("cloudtrail", (
        "CreateTrail", "DeleteTrail", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail",
    )),
    "bucket-policy-changes": ("s3", (
        "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketPolicy", "DeleteBucketPublicAccessBlock",
        "DeleteBucketReplication", "PutBucketAcl", "PutBucketCors", "PutBucketLifecycle", "PutBucketPolicy",
        "PutBucketPublicAccessBlock", "PutBucketReplication",
    )),
    "security-group-changes": ("ec2", (
        "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "DeleteSecurityGroup",
        "ModifySecurityGroupRules", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
    )),
    "network-acl-changes": ("ec2", (
        "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
        "ReplaceNetworkAclAssociation", "ReplaceNetworkAclEntry",
    )),
}  # fmt: skip
DEPLOYED = ("iam-changes", "bucket-policy-changes", "security-group-changes", "network-acl-changes")


def attacks() -> Iterator[Attack]:
    """Each with the alarms that it raises."""

    def one(what: str, event: Event, *raises: str) -> Attack:
        return Attack(what, frozenset(raises), event)

    unauthorized, root, failures = "unauthorized-calls", "root-use", "sign-in-failures"
    yield one("a server's role lists users", call(SERVER, "iam", "ListUsers", refused="AccessDenied"), unauthorized)
    started = call(SERVER, "ec2", "RunInstances", refused="Client.UnauthorizedOperation")
    yield one("a server's role starts instances", started, unauthorized)
    read = call(SERVER, "secretsmanager", "GetSecretValue", agent=BOTO, refused="AccessDeniedException")
    yield one("a server's role reads another's secret", read, unauthorized)
    lost = call(DEPLOYER, "kms", "ScheduleKeyDeletion", agent=TERRAFORM, refused="AccessDenied")
    yield one("Terraform is refused in the deployer's role", lost, unauthorized)
    yield one("root signs in", sign_in(ROOT), root)
    yield one("root calls", call(ROOT, "s3", "ListBuckets"), root)
    yield one("root makes itself a key", call(ROOT, "iam", "CreateAccessKey"), root, "iam-changes")
    yield one("root's password is guessed", sign_in(ROOT, failure="Failed authentication"), root, failures)
    yield one("a password is guessed", sign_in(user("operator"), failure="Failed authentication"), failures)
    yield one("a name is guessed", sign_in(NOBODY, failure="No username found in supplied account"), failures)
    for alarm, (source, names) in CHANGES.items():
        for name in names:
            yield one(f"a stolen key: {name}", call(ADMINISTRATOR, source, name), alarm)
    mine, verify = session("lyceum-deployer-of-mine"), session("lyceum-pipeline-verify")
    for alarm in DEPLOYED:
        source, (first, *_, last) = CHANGES[alarm]
        yield one(f"the deployer's session in other hands: {last}", call(DEPLOYER, source, last), alarm)
        yield one(f"the same in the console: {first}", call(DEPLOYER, source, first, agent=BROWSER), alarm)
        for who, what in (
            (mine, "another role"),
            (verify, "a stage that applies nothing"),
            (user("x"), "a user's key"),
        ):
            yield one(f"Terraform with {what}: {first}", call(who, source, first, agent=TERRAFORM), alarm)
    theirs = call(session("lyceum-deployer", account=ANOTHER), "s3", "PutBucketPolicy", agent=TERRAFORM)
    yield one("another account's role of the deployer's name", theirs, "bucket-policy-changes")
    acting = call(service("cloudformation.amazonaws.com"), "iam", "PutRolePolicy")
    yield one("an AWS service acts for somebody", acting, "iam-changes")
    nameless = call(DEPLOYER, "iam", "PutRolePolicy")
    del nameless["userAgent"]
    yield one("a program without a name", nameless, "iam-changes")
    silenced = call(DEPLOYER, "cloudtrail", "StopLogging", agent=TERRAFORM, refused="AccessDeniedException")
    yield one("Terraform silences the trail in the deployer's role", silenced, "trail-changes", unauthorized)
