"""`./lyceum prove iam`: the emulated AWS decides every call by the account's own policies (lyceum_lab.iam), and dev and
prod are applied, changed and destroyed under them by the deployer; then the deployer tries to become more than that.

An attempt counts as refused only when IAM's decision refused it, and each kind has a twin that is allowed: what is
refused for a wrong reason would be refused with the right to it as well.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam import actions
from lyceum_lab.iam.evaluate import Request, applies, context
from lyceum_lab.iam.limits import measure
from lyceum_lab.iam.policies import Policy, parse
from lyceum_lab.proofs import apply
from lyceum_lab.proofs.cloud import Cloud, account
from lyceum_lab.proofs.report import Report, listed, require
from lyceum_lab.rehearsal.infrastructure import Session
from lyceum_ops.console import out
from lyceum_ops.terraform import Inputs

PROMISES = {
    "sizes": "every policy of bootstrap is within AWS's limits",
    "second factor": "the user's key opens nothing but the deployer role, and that only with the second factor",
    "enough": "dev and prod are applied, changed and destroyed by the deployer with every call decided",
    "own": "what the deployer may do to its own project's resources, it may",
    "escalation": "the deployer cannot make itself, or anything it makes, more than it is",
    "minimal": "each statement of the deployer's is noticed when it is taken away, or has its reason",
}
REGION = "us-east-1"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/lyceum-boundary"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
DENIALS = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
OURS = [{"Key": "Project", "Value": "lyceum"}]
KEY_TAGS = [{"TagKey": "Project", "TagValue": "lyceum"}, {"TagKey": "Environment", "TagValue": "dev"}]
THEIRS = [{"Key": "Project", "Value": "another"}]


@dataclass(frozen=True)
class Attempt:
    """Something that somebody tries: in words, and as a call with a boto3 session."""

    what: str
    call: Callable[[Session, dict[str, str]], object]


def refused(session: Session, known: dict[str, str], attempt: Attempt) -> str:
    """Why IAM refused it; "" when it did not, whatever else became of the call."""
    from botocore.exceptions import ClientError

    try:
        attempt.call(session, known)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIALS:
            return str(error.response["Error"].get("Message", "")) or "refused"
    return ""


def prove() -> int:
    """Run the proof, printing a line a promise. Returns the exit code."""
    report = Report(PROMISES)
    with account("iam", enforce=True) as cloud:
        report.try_("sizes", lambda: sizes(cloud.admin))
        report.try_("second factor", lambda: _second_factor(cloud))
        foreign = others(cloud.admin)
        report.try_("own", lambda: _all_allowed(cloud, foreign))
        report.try_("escalation", lambda: _all_refused(cloud, foreign))
        report.try_("enough", lambda: _enough(cloud))
        report.try_("minimal", lambda: minimal(statements(cloud.admin), asked(cloud)))
        _figures(cloud)
    return report.close()


def sizes(admin: Session) -> str:
    """Every policy document that exists, held against AWS's limits."""
    iam = admin.client("iam")
    most = ""
    largest = 0.0
    found = list(documents(iam))
    require(len(found) > 10, f"only {len(found)} policies were found")
    for kind, name, document in found:
        characters, limit = measure(kind, document)
        require(characters <= limit, f"{name} has {characters} characters of {limit}")
        if characters / limit > largest:
            largest, most = characters / limit, f"{name} with {characters} of {limit} characters"
    return f"{len(found)} policies; the fullest is {most}"


def documents(iam: Any) -> list[tuple[str, str, Any]]:
    """(kind, name, document) of every policy of the account's own; the inline ones of one owner count together."""
    found: list[tuple[str, str, Any]] = []
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        found.append(("managed", policy["PolicyName"], version["PolicyVersion"]["Document"]))
    for kind in ("role", "user", "group"):
        title = kind.title()
        for owner in getattr(iam, f"list_{kind}s")()[f"{title}s"]:
            name = {f"{title}Name": owner[f"{title}Name"]}
            names = getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"]
            inline = [getattr(iam, f"get_{kind}_policy")(**name, PolicyName=one)["PolicyDocument"] for one in names]
            if inline:
                found.append((kind, f"the inline policies of {owner[f'{title}Name']}", inline))
            if kind == "role":
                found.append(("trust", f"the trust of {owner['RoleName']}", owner["AssumeRolePolicyDocument"]))
    return found


# ---------------------------------------------------------------------------------------------------- the user


def _second_factor(cloud: Cloud) -> str:
    iam = cloud.admin.client("iam")
    name = cloud.stack.deployer
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Session.of(
        {
            **cloud.stack.tool.env,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": "",
        }
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer"
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/{name}"

    def assume(session: Session, **more: str) -> object:
        return session.client("sts").assume_role(RoleArn=role, RoleSessionName="proof", **more)

    attempts = (
        Attempt("become the deployer without a second factor", lambda s, _: assume(s)),
        Attempt(
            "become the deployer with a device that is not its own",
            lambda s, _: assume(s, SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/somebody", TokenCode="123456"),
        ),
        Attempt("remove its second factor", lambda s, _: s.client("iam").deactivate_mfa_device(
            UserName=name, SerialNumber=serial)),
        Attempt("make itself another key", lambda s, _: s.client("iam").create_access_key(UserName=name)),
        Attempt("give itself a policy", lambda s, _: s.client("iam").put_user_policy(
            UserName=name, PolicyName="all", PolicyDocument=ALL)),
        Attempt("give its group a policy", lambda s, _: s.client("iam").put_group_policy(
            GroupName="lyceum-deployers", PolicyName="all", PolicyDocument=ALL)),
        Attempt("read a state", lambda s, _: s.client("s3").list_objects_v2(Bucket=f"lyceum-state-{ACCOUNT}")),
        Attempt("register somebody else's second factor", lambda s, _: s.client("iam").create_virtual_mfa_device(
            VirtualMFADeviceName="somebody")),
    )  # fmt: skip
    let_through = [one.what for one in attempts if not refused(user, {}, one)]
    require(not let_through, f"the user can {listed(let_through)}")
    allowed = Attempt("become the deployer", lambda s, _: assume(s, SerialNumber=serial, TokenCode="123456"))
    require(not (why := refused(user, {}, allowed)), f"with the second factor: {why}")
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    return f"{len(attempts)} attempts refused; with the second factor it becomes the deployer"


# ---------------------------------------------------------------------------------------------------- the deployer


def others(admin: Session) -> dict[str, str]:
    """Another project's resources in the same account, made by its administrator, by what an attempt calls them."""
    iam, ec2, kms = admin.client("iam"), admin.client("ec2"), admin.client("kms")
    known = {"role": iam.create_role(RoleName="another-server", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]}
    iam.create_instance_profile(InstanceProfileName="another-server")
    iam.add_role_to_instance_profile(InstanceProfileName="another-server", RoleName="another-server")
    iam.create_role(RoleName="lyceum-dev-proof", AssumeRolePolicyDocument=TRUST)  # of ours, and without the boundary
    known["key"] = kms.create_key(Tags=[{"TagKey": "Project", "TagValue": "another"}])["KeyMetadata"]["KeyId"]
    known["named key"] = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/another", TargetKeyId=known["named key"])
    known["vpc"] = ec2.create_vpc(
        CidrBlock="10.99.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": THEIRS}]
    )["Vpc"]["VpcId"]
    known["untagged vpc"] = ec2.create_vpc(CidrBlock="10.98.0.0/16")["Vpc"]["VpcId"]
    known["group"] = ec2.create_security_group(
        GroupName="another", Description="another", VpcId=known["vpc"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": THEIRS}],
    )["GroupId"]  # fmt: skip
    known["image"] = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    known["subnet"] = ec2.create_subnet(VpcId=known["vpc"], CidrBlock="10.99.0.0/24")["Subnet"]["SubnetId"]
    known["files"] = admin.client("efs").create_file_system(CreationToken="another", Tags=THEIRS)["FileSystemId"]
    known["certificate"] = admin.client("acm").request_certificate(DomainName="another.example", Tags=THEIRS)[
        "CertificateArn"
    ]
    known["bucket"] = "another-bucket"
    admin.client("s3").create_bucket(Bucket=known["bucket"])
    known["plan"] = admin.client("backup").create_backup_plan(
        BackupPlan={"BackupPlanName": "another", "Rules": []}, BackupPlanTags={"Project": "another"}
    )["BackupPlanArn"]
    admin.client("sesv2").create_email_identity(EmailIdentity="another.example", Tags=THEIRS)
    known["identity"] = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/another.example"
    known["zone"] = admin.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    states = f"lyceum-state-{ACCOUNT}"
    for name in ("bootstrap.proof", "platform-dev.proof"):  # not the states themselves: they are in use
        admin.client("s3").put_object(Bucket=states, Key=name, Body=b"{}")
    for alias in ("state", "audit"):
        known[f"{alias} key"] = kms.describe_key(KeyId=f"alias/lyceum-{alias}")["KeyMetadata"]["KeyId"]
    known["own key"] = kms.create_key(Tags=KEY_TAGS)["KeyMetadata"]["KeyId"]
    return known


@cache
def _client(session: Session, service: str) -> Any:
    return session.client(service)


def _of(service: str, operation: str, **parameters: Any) -> Callable[[Session, dict[str, str]], object]:
    """A call whose texts may name what is known, as `{key}`."""

    def call(session: Session, known: dict[str, str]) -> object:
        def fill(value: Any) -> Any:
            if isinstance(value, str) and value.startswith("{") and value[1:-1] in known:
                return known[value[1:-1]]
            if isinstance(value, list):
                return [fill(one) for one in value]
            if isinstance(value, dict):
                return {name: fill(one) for name, one in value.items()}
            return value

        return getattr(_client(session, service), operation)(**fill(parameters))

    return call


STATES, AUDIT = f"lyceum-state-{ACCOUNT}", f"lyceum-audit-{ACCOUNT}"
DEPLOYER_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/lyceum-deployer-identity"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/lyceum-audit"
LAUNCH: dict[str, Any] = {
    "ImageId": "{image}", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": "{subnet}",
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [*OURS, {"Key": "Environment", "Value": "dev"}]}],
}  # fmt: skip
TOKENS = {"HttpTokens": "required"}

ESCALATIONS = (
    Attempt("make a role without the boundary", _of(
        "iam", "create_role", RoleName="lyceum-dev-more", AssumeRolePolicyDocument=TRUST)),
    Attempt("make a role with a boundary of its own choice", _of(
        "iam", "create_role", RoleName="lyceum-dev-more", AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("make a role outside its environments", _of(
        "iam", "create_role", RoleName="another", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)),
    Attempt("take a boundary off", _of("iam", "delete_role_permissions_boundary", RoleName="lyceum-dev-bounded")),
    Attempt("exchange a boundary", _of(
        "iam", "put_role_permissions_boundary", RoleName="lyceum-dev-bounded",
        PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("give rights to a role without the boundary", _of(
        "iam", "put_role_policy", RoleName="lyceum-dev-proof", PolicyName="all", PolicyDocument=ALL)),
    Attempt("attach a policy to a role without the boundary", _of(
        "iam", "attach_role_policy", RoleName="lyceum-dev-proof",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("attach a policy to itself", _of(
        "iam", "attach_role_policy", RoleName="lyceum-deployer",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("write a policy into itself", _of(
        "iam", "put_role_policy", RoleName="lyceum-deployer", PolicyName="all", PolicyDocument=ALL)),
    Attempt("detach a policy from itself", _of(
        "iam", "detach_role_policy", RoleName="lyceum-deployer", PolicyArn=DEPLOYER_POLICY)),
    Attempt("change who may become it", _of(
        "iam", "update_assume_role_policy", RoleName="lyceum-deployer", PolicyDocument=TRUST)),
    Attempt("change its own policy", _of(
        "iam", "create_policy_version", PolicyArn=DEPLOYER_POLICY, PolicyDocument=ALL, SetAsDefault=True)),
    Attempt("change the boundary", _of(
        "iam", "create_policy_version", PolicyArn=BOUNDARY, PolicyDocument=ALL, SetAsDefault=True)),
    Attempt("delete the boundary", _of("iam", "delete_policy", PolicyArn=BOUNDARY)),
    Attempt("make a policy", _of("iam", "create_policy", PolicyName="lyceum-dev-all", PolicyDocument=ALL)),
    Attempt("make a user", _of("iam", "create_user", UserName="another")),
    Attempt("make a key for its user", _of("iam", "create_access_key", UserName="lyceum-deployer")),
    Attempt("remove its user's second factor", _of(
        "iam", "deactivate_mfa_device", UserName="lyceum-deployer",
        SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/lyceum-deployer")),
    Attempt("give its user a policy", _of(
        "iam", "put_user_policy", UserName="lyceum-deployer", PolicyName="all", PolicyDocument=ALL)),
    Attempt("pass another project's role", _of(
        "lambda", "create_function", FunctionName="lyceum-dev-proof", Runtime="python3.13", Handler="x.y",
        Role="{role}", Code={"ZipFile": b"x"})),
    Attempt("pass a role to a service that no module knows", _of(
        "cloudtrail", "create_trail", Name="another", S3BucketName="another",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-server")),
    Attempt("put another project's role into a profile", _of(
        "iam", "add_role_to_instance_profile", InstanceProfileName="lyceum-dev-proof", RoleName="another-server")),
    Attempt("launch a machine with another project's profile", _of(
        "ec2", "run_instances", **LAUNCH, MetadataOptions=TOKENS, IamInstanceProfile={"Name": "another-server"})),
    Attempt("launch a machine that gives its role away", _of(
        "ec2", "run_instances", **LAUNCH, MetadataOptions={"HttpTokens": "optional"},
        IamInstanceProfile={"Name": "lyceum-dev-proof"})),
    Attempt("launch a machine without tags", _of(
        "ec2", "run_instances", **{**LAUNCH, "TagSpecifications": []}, MetadataOptions=TOKENS)),
    Attempt("stop the trail", _of("cloudtrail", "stop_logging", Name=TRAIL)),
    Attempt("delete the trail", _of("cloudtrail", "delete_trail", Name=TRAIL)),
    Attempt("turn the trail elsewhere", _of("cloudtrail", "update_trail", Name=TRAIL, S3BucketName="another-bucket")),
    Attempt("read the trail's bucket", _of("s3", "list_objects_v2", Bucket=AUDIT)),
    Attempt("open the trail's bucket", _of("s3", "delete_bucket_policy", Bucket=AUDIT)),
    Attempt("delete the trail's bucket", _of("s3", "delete_bucket", Bucket=AUDIT)),
    Attempt("shorten the trail's life", _of(
        "s3", "put_bucket_lifecycle_configuration", Bucket=AUDIT, LifecycleConfiguration={"Rules": []})),
    Attempt("delete the trail's log group", _of("logs", "delete_log_group", logGroupName="/lyceum/audit")),
    Attempt("silence the trail's alarms", _of("sns", "delete_topic",
        TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:lyceum-audit-alarms")),
    Attempt("end the trail's key", _of("kms", "schedule_key_deletion", KeyId="{audit key}")),
    Attempt("disable the trail's key", _of("kms", "disable_key", KeyId="{audit key}")),
    Attempt("change who may use the trail's key", _of(
        "kms", "put_key_policy", KeyId="{audit key}", PolicyName="default", Policy=ALL)),
    Attempt("read what lies under the trail's key", _of(
        "kms", "generate_data_key", KeyId="{audit key}", KeySpec="AES_256")),
    Attempt("end the states' key", _of("kms", "schedule_key_deletion", KeyId="{state key}")),
    Attempt("change who may use the states' key", _of(
        "kms", "put_key_policy", KeyId="{state key}", PolicyName="default", Policy=ALL)),
    Attempt("describe the states' key otherwise", _of(
        "kms", "update_key_description", KeyId="{state key}", Description="x")),
    Attempt("give the states' key a grant", _of(
        "kms", "create_grant", KeyId="{state key}", GranteePrincipal="{role}", Operations=["Decrypt"])),
    Attempt("call the states' key something else", _of(
        "kms", "create_alias", AliasName="alias/lyceum-dev-state", TargetKeyId="{state key}")),
    Attempt("tag the states' key as an environment's", _of(
        "kms", "tag_resource", KeyId="{state key}", Tags=KEY_TAGS)),
    Attempt("give the trail's key a grant", _of(
        "kms", "create_grant", KeyId="{audit key}", GranteePrincipal="{role}", Operations=["Decrypt"])),
    Attempt("read bootstrap's state", _of("s3", "get_object", Bucket=STATES, Key="bootstrap.proof")),
    Attempt("write bootstrap's state", _of("s3", "put_object", Bucket=STATES, Key="bootstrap.proof", Body=b"{}")),
    Attempt("open the states' bucket", _of("s3", "delete_bucket_policy", Bucket=STATES)),
    Attempt("give up the states' versions", _of(
        "s3", "put_bucket_versioning", Bucket=STATES, VersioningConfiguration={"Status": "Suspended"})),
    Attempt("read another project's bucket", _of("s3", "list_objects_v2", Bucket="{bucket}")),
    Attempt("delete another project's bucket", _of("s3", "delete_bucket", Bucket="{bucket}")),
    Attempt("make another project's key its own", _of(
        "kms", "tag_resource", KeyId="{key}", Tags=KEY_TAGS)),
    Attempt("make a key with a name its own", _of(
        "kms", "tag_resource", KeyId="{named key}", Tags=KEY_TAGS)),
    Attempt("use another project's key", _of("kms", "generate_data_key", KeyId="{key}", KeySpec="AES_256")),
    Attempt("make another project's network its own", _of("ec2", "create_tags", Resources=["{vpc}"], Tags=OURS)),
    Attempt("delete another project's network", _of("ec2", "delete_vpc", VpcId="{vpc}")),
    Attempt("delete a network without a tag", _of("ec2", "delete_vpc", VpcId="{untagged vpc}")),
    Attempt("open another project's group", _of(
        "ec2", "authorize_security_group_ingress", GroupId="{group}",
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])),
    Attempt("build into another project's network", _of(
        "ec2", "create_subnet", VpcId="{vpc}", CidrBlock="10.99.1.0/24")),
    Attempt("make another project's files its own", _of("efs", "tag_resource", ResourceId="{files}", Tags=OURS)),
    Attempt("delete another project's files", _of("efs", "delete_file_system", FileSystemId="{files}")),
    Attempt("make another project's certificate its own", _of(
        "acm", "add_tags_to_certificate", CertificateArn="{certificate}", Tags=OURS)),
    Attempt("make another project's backups its own", _of(
        "backup", "tag_resource", ResourceArn="{plan}", Tags={"Project": "lyceum"})),
    Attempt("answer for the zone", _of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "other.lyceum.example", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example"}]}}]})),
    Attempt("take the domain's mail", _of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "lyceum.example", "Type": "MX", "TTL": 60, "ResourceRecords": [{"Value": "10 mx.example"}]}}]})),
    Attempt("lock a vault for ever", _of(
        "backup", "put_backup_vault_lock_configuration", BackupVaultName="lyceum-prod-proof", ChangeableForDays=3)),
    Attempt("work in another region", lambda session, _: session.session.client(
        "ec2", region_name="eu-west-1", endpoint_url=session.url).create_vpc(CidrBlock="10.96.0.0/16")),
    Attempt("use a service that no module knows", _of("sqs", "create_queue", QueueName="lyceum-dev-x")),
    Attempt("make another project's mail its own", _of("sesv2", "tag_resource", ResourceArn="{identity}", Tags=OURS)),
    Attempt("start a function", _of("lambda", "invoke", FunctionName="lyceum-dev-purge-logs")),
    Attempt("read a learner's file", _of("s3", "get_object", Bucket=f"lyceum-dev-content-{ACCOUNT}", Key="a")),
    Attempt("become another role", _of("sts", "assume_role", RoleArn="{role}", RoleSessionName="proof")),
)  # fmt: skip

# The twins: the same calls within its rights, so that a refusal above is IAM's and not the call's.
RIGHTS = (
    Attempt("make a role with the boundary", _of(
        "iam", "create_role", RoleName="lyceum-dev-bounded", AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=BOUNDARY)),
    Attempt("give rights to a role with the boundary", _of(
        "iam", "put_role_policy", RoleName="lyceum-dev-bounded", PolicyName="all", PolicyDocument=ALL)),
    Attempt("make a profile", _of("iam", "create_instance_profile", InstanceProfileName="lyceum-dev-proof")),
    Attempt("put its own role into a profile", _of(
        "iam", "add_role_to_instance_profile", InstanceProfileName="lyceum-dev-proof", RoleName="lyceum-dev-bounded")),
    Attempt("pass its own role", _of(
        "lambda", "create_function", FunctionName="lyceum-dev-proof", Runtime="python3.13", Handler="x.y",
        Role=f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-bounded", Code={"ZipFile": b"x"})),
    Attempt("launch a machine with its own profile", _of(
        "ec2", "run_instances", **{**LAUNCH, "SubnetId": "{subnet}"}, MetadataOptions=TOKENS,
        IamInstanceProfile={"Name": "lyceum-dev-proof"})),
    Attempt("make a key with its tag", _of("kms", "create_key", Tags=KEY_TAGS)),
    Attempt("change the tags of its own key", _of(
        "kms", "tag_resource", KeyId="{own key}", Tags=KEY_TAGS)),
    Attempt("end its own key", _of("kms", "schedule_key_deletion", KeyId="{own key}")),
    Attempt("read an environment's state", _of("s3", "get_object", Bucket=STATES, Key="platform-dev.proof")),
    Attempt("write the platform's address", _of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "proof.lyceum.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})),
    Attempt("ask for a certificate", _of("acm", "request_certificate", DomainName="learn.lyceum.example", Tags=OURS)),
    Attempt("make a network", _of("ec2", "create_vpc", CidrBlock="10.97.0.0/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": OURS}])),
    Attempt("make files", _of("efs", "create_file_system", CreationToken="proof", Encrypted=True, Tags=OURS)),
)  # fmt: skip


def _all_allowed(cloud: Cloud, known: dict[str, str]) -> str:
    session = cloud.stack.session()
    whys = {one.what: refused(session, known, one) for one in RIGHTS}
    wrong = [f"{what} ({why})" for what, why in whys.items() if why]
    require(not wrong, f"the deployer cannot {listed(wrong)}")
    return f"{len(RIGHTS)} calls"


def _all_refused(cloud: Cloud, known: dict[str, str]) -> str:
    session = cloud.stack.session()
    let_through = [one.what for one in ESCALATIONS if not refused(session, known, one)]
    require(not let_through, f"the deployer can {listed(let_through, 20)}")
    return f"{len(ESCALATIONS)} attempts, all refused"


# ---------------------------------------------------------------------------------------------------- enough


def _enough(cloud: Cloud) -> str:
    before = len(decisions(cloud)["refused"])

    def whole_life(name: str) -> None:
        environment = apply._environment(cloud, name)
        environment.apply(environment.plan())
        apply._second_plan(environment)
        changes = {"servers": '{instance_type="t3.micro", max=3}', "session_retention_days": "30", "protected": "false"}
        environment.inputs = Inputs(environment.inputs.files, {**environment.inputs.values, **changes})
        environment.apply(environment.plan())
        environment.apply(environment.root.plan(environment.inputs, destroy=True))

    with ThreadPoolExecutor() as pool:
        for running in [pool.submit(whole_life, name) for name in ("dev", "prod")]:
            running.result()
    more = decisions(cloud)["refused"][before:]
    require(not more, f"refused: {listed(sorted({one['action'] for one in more}), 20)}")
    return "applied, planned again, changed and destroyed without a refusal"


def decisions(cloud: Cloud) -> dict[str, Any]:
    """The emulator's own account of what it decided."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{cloud.endpoint}/_lyceum/permissions", timeout=30) as answer:
        return dict(json.load(answer))


# ---------------------------------------------------------------------------------------------------- minimal

SERVICES_THEMSELVES = "AWS asks for it in the caller's name, inside a service: no call shows it"
BELT = "nothing else allows it; it holds against a right that somebody adds"
REASONS = {
    "lyceum-deployer-state/LeaveBootstrapAlone": BELT,
    "lyceum-deployer-keys/LeaveTheStatesKeyAlone": BELT,
    "lyceum-deployer-identity/NeverWithoutTheBoundary": BELT,
    "lyceum-deployer-network/PrivateNamesOfEndpoints": SERVICES_THEMSELVES,
    "lyceum-deployer-network/TagWhatIsOurs": "tags change only when somebody changes them in the code",
    "lyceum-deployer-data/EmptyDevelopment": "nothing writes into the buckets here",
    "lyceum-deployer-identity/RolesOfAwsServices": SERVICES_THEMSELVES,
    "lyceum-deployer-backup/EmptyDevelopmentsVault": "no recovery point ever exists here",
    "lyceum-deployer-backup/StorageOfVaults": SERVICES_THEMSELVES,
    "lyceum-deployer-backup/GrantsOfVaults": SERVICES_THEMSELVES,
    "lyceum-deployer-backup/RoleOfAwsBackup": SERVICES_THEMSELVES,
    "lyceum-deployer-compute/AlarmsOfTargetTracking": SERVICES_THEMSELVES,
    "lyceum-deployer-compute/RoleOfAutoScaling": SERVICES_THEMSELVES,
    "lyceum-deployer-edge/RolesOfTheEdgesServices": SERVICES_THEMSELVES,
}


def statements(admin: Session) -> list[Policy]:
    """The policies of the deployer role."""
    iam = admin.client("iam")
    attached = iam.list_attached_role_policies(RoleName="lyceum-deployer")["AttachedPolicies"]
    found = {name: document for kind, name, document in documents(iam) if kind == "managed"}
    return [parse(one["PolicyName"], found[one["PolicyName"]]) for one in attached]


def asked(cloud: Cloud) -> list[Request]:
    """Everything that the deployer asked for so far, its attempts included."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{cloud.endpoint}/_lyceum/asked", timeout=60) as answer:
        told = json.load(answer).get(f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer", [])
    return [Request(one["action"], one["resource"], context(one["context"])) for one in told]


def minimal(policies: list[Policy], requests: list[Request]) -> str:
    """Take away each statement in turn: some request that was decided must be decided otherwise."""
    named = [(f"{p.name}/{s.sid or s.index + 1}", s) for p in policies for s in p.statements]
    noticed: set[str] = set()
    for request in requests:
        applying = [(name, s.allows) for name, s in named if applies(s, request)]
        allows, denies = [n for n, allows in applying if allows], [n for n, allows in applying if not allows]
        if not denies and len(allows) == 1:
            noticed.add(allows[0])
        if len(denies) == 1 and allows:
            noticed.add(denies[0])
    idle = [name for name, _ in named if name not in noticed and name not in REASONS]
    require(not idle, f"nothing notices that {listed(idle, 40)} is gone")
    needless = sorted(noticed & REASONS.keys())
    require(not needless, f"{listed(needless)} is needed, and has a reason why it is not")
    what = f"{len(noticed)} of {len(named)} statements noticed"
    return f"{what}, by {len(requests)} different requests; {len(REASONS)} have their reason"


def _figures(cloud: Cloud) -> None:
    """What was decided, and what the decisions leave out."""
    told = decisions(cloud)
    without = sum(told["without_resource"].values())
    out.print(
        f"{told['calls']} calls, {told['decisions']} decisions, {without} of them on a resource not told: "
        f"{listed(told['without_resource'], 20) or 'none'}.",
        markup=False,
    )
    out.print(f"Actions and their resources: {actions.source()}.", markup=False)
