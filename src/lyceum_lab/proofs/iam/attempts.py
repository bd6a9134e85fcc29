"""What the deployer and its user may try: the ways to more than they are, and within their rights the twins of these.

An attempt counts as refused only when IAM's decision refused it, and each kind has a twin that is allowed: what is
refused for a wrong reason would be refused with the right to it as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.proofs.cloud import Cloud
from lyceum_lab.proofs.iam.account import EVERYTHING
from lyceum_lab.proofs.report import listed, require
from lyceum_lab.rehearsal.infrastructure import REGION, Session

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/lyceum-boundary"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
ALL = json.dumps(EVERYTHING)
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


# ---------------------------------------------------------------------------------------------------- the user


def second_factor(cloud: Cloud) -> str:
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


def of(service: str, operation: str, **parameters: Any) -> Callable[[Session, dict[str, str]], object]:
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
    Attempt("make a role without the boundary", of(
        "iam", "create_role", RoleName="lyceum-dev-more", AssumeRolePolicyDocument=TRUST)),
    Attempt("make a role with a boundary of its own choice", of(
        "iam", "create_role", RoleName="lyceum-dev-more", AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("make a role outside its environments", of(
        "iam", "create_role", RoleName="another", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)),
    Attempt("take a boundary off", of("iam", "delete_role_permissions_boundary", RoleName="lyceum-dev-bounded")),
    Attempt("exchange a boundary", of(
        "iam", "put_role_permissions_boundary", RoleName="lyceum-dev-bounded",
        PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("give rights to a role without the boundary", of(
        "iam", "put_role_policy", RoleName="lyceum-dev-proof", PolicyName="all", PolicyDocument=ALL)),
    Attempt("attach a policy to a role without the boundary", of(
        "iam", "attach_role_policy", RoleName="lyceum-dev-proof",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("attach a policy to itself", of(
        "iam", "attach_role_policy", RoleName="lyceum-deployer",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    Attempt("write a policy into itself", of(
        "iam", "put_role_policy", RoleName="lyceum-deployer", PolicyName="all", PolicyDocument=ALL)),
    Attempt("detach a policy from itself", of(
        "iam", "detach_role_policy", RoleName="lyceum-deployer", PolicyArn=DEPLOYER_POLICY)),
    Attempt("change who may become it", of(
        "iam", "update_assume_role_policy", RoleName="lyceum-deployer", PolicyDocument=TRUST)),
    Attempt("change its own policy", of(
        "iam", "create_policy_version", PolicyArn=DEPLOYER_POLICY, PolicyDocument=ALL, SetAsDefault=True)),
    Attempt("change the boundary", of(
        "iam", "create_policy_version", PolicyArn=BOUNDARY, PolicyDocument=ALL, SetAsDefault=True)),
    Attempt("delete the boundary", of("iam", "delete_policy", PolicyArn=BOUNDARY)),
    Attempt("make a policy", of("iam", "create_policy", PolicyName="lyceum-dev-all", PolicyDocument=ALL)),
    Attempt("make a user", of("iam", "create_user", UserName="another")),
    Attempt("make a key for its user", of("iam", "create_access_key", UserName="lyceum-deployer")),
    Attempt("remove its user's second factor", of(
        "iam", "deactivate_mfa_device", UserName="lyceum-deployer",
        SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/lyceum-deployer")),
    Attempt("give its user a policy", of(
        "iam", "put_user_policy", UserName="lyceum-deployer", PolicyName="all", PolicyDocument=ALL)),
    Attempt("pass another project's role", of(
        "lambda", "create_function", FunctionName="lyceum-dev-proof", Runtime="python3.13", Handler="x.y",
        Role="{role}", Code={"ZipFile": b"x"})),
    Attempt("pass a role to a service that no module knows", of(
        "cloudtrail", "create_trail", Name="another", S3BucketName="another",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-server")),
    Attempt("put another project's role into a profile", of(
        "iam", "add_role_to_instance_profile", InstanceProfileName="lyceum-dev-proof", RoleName="another-server")),
    Attempt("launch a machine with another project's profile", of(
        "ec2", "run_instances", **LAUNCH, MetadataOptions=TOKENS, IamInstanceProfile={"Name": "another-server"})),
    Attempt("launch a machine that gives its role away", of(
        "ec2", "run_instances", **LAUNCH, MetadataOptions={"HttpTokens": "optional"},
        IamInstanceProfile={"Name": "lyceum-dev-proof"})),
    Attempt("launch a machine without tags", of(
        "ec2", "run_instances", **{**LAUNCH, "TagSpecifications": []}, MetadataOptions=TOKENS)),
    Attempt("stop the trail", of("cloudtrail", "stop_logging", Name=TRAIL)),
    Attempt("delete the trail", of("cloudtrail", "delete_trail", Name=TRAIL)),
    Attempt("turn the trail elsewhere", of("cloudtrail", "update_trail", Name=TRAIL, S3BucketName="another-bucket")),
    Attempt("read the trail's bucket", of("s3", "list_objects_v2", Bucket=AUDIT)),
    Attempt("open the trail's bucket", of("s3", "delete_bucket_policy", Bucket=AUDIT)),
    Attempt("delete the trail's bucket", of("s3", "delete_bucket", Bucket=AUDIT)),
    Attempt("shorten the trail's life", of(
        "s3", "put_bucket_lifecycle_configuration", Bucket=AUDIT, LifecycleConfiguration={"Rules": []})),
    Attempt("delete the trail's log group", of("logs", "delete_log_group", logGroupName="/lyceum/audit")),
    Attempt("silence the trail's alarms", of("sns", "delete_topic",
        TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:lyceum-audit-alarms")),
    Attempt("end the trail's key", of("kms", "schedule_key_deletion", KeyId="{audit key}")),
    Attempt("disable the trail's key", of("kms", "disable_key", KeyId="{audit key}")),
    Attempt("change who may use the trail's key", of(
        "kms", "put_key_policy", KeyId="{audit key}", PolicyName="default", Policy=ALL)),
    Attempt("read what lies under the trail's key", of(
        "kms", "generate_data_key", KeyId="{audit key}", KeySpec="AES_256")),
    Attempt("end the states' key", of("kms", "schedule_key_deletion", KeyId="{state key}")),
    Attempt("change who may use the states' key", of(
        "kms", "put_key_policy", KeyId="{state key}", PolicyName="default", Policy=ALL)),
    Attempt("describe the states' key otherwise", of(
        "kms", "update_key_description", KeyId="{state key}", Description="x")),
    Attempt("give the states' key a grant", of(
        "kms", "create_grant", KeyId="{state key}", GranteePrincipal="{role}", Operations=["Decrypt"])),
    Attempt("call the states' key something else", of(
        "kms", "create_alias", AliasName="alias/lyceum-dev-state", TargetKeyId="{state key}")),
    Attempt("tag the states' key as an environment's", of(
        "kms", "tag_resource", KeyId="{state key}", Tags=KEY_TAGS)),
    Attempt("give the trail's key a grant", of(
        "kms", "create_grant", KeyId="{audit key}", GranteePrincipal="{role}", Operations=["Decrypt"])),
    Attempt("read bootstrap's state", of("s3", "get_object", Bucket=STATES, Key="bootstrap.proof")),
    Attempt("write bootstrap's state", of("s3", "put_object", Bucket=STATES, Key="bootstrap.proof", Body=b"{}")),
    Attempt("open the states' bucket", of("s3", "delete_bucket_policy", Bucket=STATES)),
    Attempt("give up the states' versions", of(
        "s3", "put_bucket_versioning", Bucket=STATES, VersioningConfiguration={"Status": "Suspended"})),
    Attempt("read another project's bucket", of("s3", "list_objects_v2", Bucket="{bucket}")),
    Attempt("delete another project's bucket", of("s3", "delete_bucket", Bucket="{bucket}")),
    Attempt("make another project's key its own", of(
        "kms", "tag_resource", KeyId="{key}", Tags=KEY_TAGS)),
    Attempt("make a key with a name its own", of(
        "kms", "tag_resource", KeyId="{named key}", Tags=KEY_TAGS)),
    Attempt("use another project's key", of("kms", "generate_data_key", KeyId="{key}", KeySpec="AES_256")),
    Attempt("make another project's network its own", of("ec2", "create_tags", Resources=["{vpc}"], Tags=OURS)),
    Attempt("delete another project's network", of("ec2", "delete_vpc", VpcId="{vpc}")),
    Attempt("delete a network without a tag", of("ec2", "delete_vpc", VpcId="{untagged vpc}")),
    Attempt("open another project's group", of(
        "ec2", "authorize_security_group_ingress", GroupId="{group}",
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])),
    Attempt("build into another project's network", of(
        "ec2", "create_subnet", VpcId="{vpc}", CidrBlock="10.99.1.0/24")),
    Attempt("make another project's files its own", of("efs", "tag_resource", ResourceId="{files}", Tags=OURS)),
    Attempt("delete another project's files", of("efs", "delete_file_system", FileSystemId="{files}")),
    Attempt("make another project's certificate its own", of(
        "acm", "add_tags_to_certificate", CertificateArn="{certificate}", Tags=OURS)),
    Attempt("make another project's backups its own", of(
        "backup", "tag_resource", ResourceArn="{plan}", Tags={"Project": "lyceum"})),
    Attempt("answer for the zone", of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "other.lyceum.example", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example"}]}}]})),
    Attempt("take the domain's mail", of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "lyceum.example", "Type": "MX", "TTL": 60, "ResourceRecords": [{"Value": "10 mx.example"}]}}]})),
    Attempt("lock a vault for ever", of(
        "backup", "put_backup_vault_lock_configuration", BackupVaultName="lyceum-prod-proof", ChangeableForDays=3)),
    Attempt("work in another region", lambda session, _: session.session.client(
        "ec2", region_name="eu-west-1", endpoint_url=session.url).create_vpc(CidrBlock="10.96.0.0/16")),
    Attempt("use a service that no module knows", of("sqs", "create_queue", QueueName="lyceum-dev-x")),
    Attempt("make another project's mail its own", of("sesv2", "tag_resource", ResourceArn="{identity}", Tags=OURS)),
    Attempt("start a function", of("lambda", "invoke", FunctionName="lyceum-dev-purge-logs")),
    Attempt("read a learner's file", of("s3", "get_object", Bucket=f"lyceum-dev-content-{ACCOUNT}", Key="a")),
    Attempt("become another role", of("sts", "assume_role", RoleArn="{role}", RoleSessionName="proof")),
)  # fmt: skip

# The twins: the same calls within its rights, so that a refusal above is IAM's and not the call's.
RIGHTS = (
    Attempt("make a role with the boundary", of(
        "iam", "create_role", RoleName="lyceum-dev-bounded", AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=BOUNDARY)),
    Attempt("give rights to a role with the boundary", of(
        "iam", "put_role_policy", RoleName="lyceum-dev-bounded", PolicyName="all", PolicyDocument=ALL)),
    Attempt("make a profile", of("iam", "create_instance_profile", InstanceProfileName="lyceum-dev-proof")),
    Attempt("put its own role into a profile", of(
        "iam", "add_role_to_instance_profile", InstanceProfileName="lyceum-dev-proof", RoleName="lyceum-dev-bounded")),
    Attempt("pass its own role", of(
        "lambda", "create_function", FunctionName="lyceum-dev-proof", Runtime="python3.13", Handler="x.y",
        Role=f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-bounded", Code={"ZipFile": b"x"})),
    Attempt("launch a machine with its own profile", of(
        "ec2", "run_instances", **{**LAUNCH, "SubnetId": "{subnet}"}, MetadataOptions=TOKENS,
        IamInstanceProfile={"Name": "lyceum-dev-proof"})),
    Attempt("make a key with its tag", of("kms", "create_key", Tags=KEY_TAGS)),
    Attempt("change the tags of its own key", of(
        "kms", "tag_resource", KeyId="{own key}", Tags=KEY_TAGS)),
    Attempt("end its own key", of("kms", "schedule_key_deletion", KeyId="{own key}")),
    Attempt("read an environment's state", of("s3", "get_object", Bucket=STATES, Key="platform-dev.proof")),
    Attempt("write the platform's address", of("route53", "change_resource_record_sets", HostedZoneId="{zone}",
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": "proof.lyceum.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})),
    Attempt("ask for a certificate", of("acm", "request_certificate", DomainName="learn.lyceum.example", Tags=OURS)),
    Attempt("make a network", of("ec2", "create_vpc", CidrBlock="10.97.0.0/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": OURS}])),
    Attempt("make files", of("efs", "create_file_system", CreationToken="proof", Encrypted=True, Tags=OURS)),
)  # fmt: skip


def all_allowed(cloud: Cloud, known: dict[str, str]) -> str:
    session = cloud.stack.session()
    whys = {one.what: refused(session, known, one) for one in RIGHTS}
    wrong = [f"{what} ({why})" for what, why in whys.items() if why]
    require(not wrong, f"the deployer cannot {listed(wrong)}")
    return f"{len(RIGHTS)} calls"


def all_refused(cloud: Cloud, known: dict[str, str]) -> str:
    session = cloud.stack.session()
    let_through = [one.what for one in ESCALATIONS if not refused(session, known, one)]
    require(not let_through, f"the deployer can {listed(let_through, 20)}")
    return f"{len(ESCALATIONS)} attempts, all refused"
