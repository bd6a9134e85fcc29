"""What each role of an environment may do: what it really does, and nothing more.

What can be run here is run with the role's credentials against the applied environment, every call decided: the
platform's own stores, what a server does at its start and its agent after it, the functions. What only AWS's
services do is written down from their documents and put to the evaluator, as is what no role may ever do. Then each
part of the role's own policies is taken away, as with the deployer's.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from lyceum_lab import paths, platform
from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam.evaluate import Principal, Request, context, decide
from lyceum_lab.iam.policies import Policy, parse
from lyceum_lab.proofs.iam import account
from lyceum_lab.proofs.iam.attempts import AUDIT, STATES, Attempt, refused
from lyceum_lab.proofs.iam.minimal import Reason, minimal
from lyceum_lab.proofs.report import Broken, listed, require
from lyceum_lab.rehearsal.infrastructure import REGION, Session, server_environment

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"

Asks = tuple[str, str, dict[str, Any]]  # action, resource, and what the request tells of itself


def _logs(group: str, stream: str = "") -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


@dataclass(frozen=True)
class Place:
    """One applied environment, and how its things are called."""

    environment: str
    admin: Session
    folder: Path
    log: Path

    @property
    def name(self) -> str:
        return f"lyceum-{self.environment}"

    @property
    def endpoint(self) -> str:
        return self.admin.url

    @property
    def content(self) -> str:
        return f"{self.name}-content-{ACCOUNT}"

    @property
    def releases(self) -> str:
        return f"{self.name}-releases-{ACCOUNT}"

    @property
    def table(self) -> str:
        return f"{self.name}-progress"

    def secret(self, name: str) -> str:
        return str(self.admin.client("secretsmanager").describe_secret(SecretId=f"{self.name}-{name}")["ARN"])

    def group(self, name: str) -> str:
        return f"/lyceum/{self.environment}/{name}"

    def function(self, name: str) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}-{name}"


@dataclass(frozen=True)
class Role:
    """A role by its name after the environment's; `run` does for real what it does, and says what it did."""

    name: str
    does: str
    run: Callable[[Place], str] | None = None
    asks: Callable[[Place], list[Asks]] = lambda _: []
    refused: Callable[[Place], list[Attempt]] = lambda _: []
    reasons: tuple[Reason, ...] = ()
    # Where it is: the canary needs a domain, which production alone has here.
    environments: tuple[str, ...] = ("dev", "prod")


# ------------------------------------------------------------------------------------------------------- the servers

# The platform's own stores, as its pages use them: objects small and in parts, signed addresses, progress of a lesson.
STORES = """
import tempfile, time, urllib.request
from pathlib import Path
from uuid import uuid4
from lyceum.content import get_store as content
from lyceum.progress.domain import LessonKey, Watch
from lyceum.progress.stores import get_store as progress

store, name = content(), f"proof/{uuid4()}.bin"
with tempfile.TemporaryDirectory() as folder:
    for size in (5, 9 * 1024 * 1024):
        file = Path(folder) / "file"
        file.write_bytes(b"x" * size)
        store.put(name, file, content_type="application/octet-stream")
        assert len(store.open(name).read()) == size
assert store.exists(name) and not store.exists(name + ".none")
assert name in list(store.list("proof/"))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
assert len(opener.open(store.url(name), timeout=30).read()) == size
store.delete(name)
assert not store.exists(name)

kept, key = progress(), LessonKey(user_id=1, course_id=1, lesson_id=uuid4())
now = int(time.time() * 1000)
for order, buckets in (("b", {1, 2}), ("a", {3}), ("c", set())):
    watch = Watch(order=order, position_ms=1000, buckets=frozenset(buckets))
    kept.record(key, watch, complete_at=3, now_ms=now)
assert kept.lesson(key).completed_at_ms == now
assert key.lesson_id in kept.course(user_id=1, course_id=1)
print("stores are in order")
"""


def _serve(place: Place) -> str:
    """A server's life: its release, its secrets, the platform, its agent's logs and metrics."""
    release = f"v-proof-{time.time_ns()}/lyceum.tar.gz"
    # Where it stays: production's releases nobody removes, and the environment is to be destroyed with what is left.
    if place.environment == "dev":
        place.admin.client("s3").put_object(Bucket=place.releases, Key=release, Body=b"x", IfNoneMatch="*")
    session = Session.as_role(place.endpoint, f"{place.name}-server")
    try:
        session.client("s3").get_object(Bucket=place.releases, Key=release)
    except session.client("s3").exceptions.NoSuchKey:  # so it was let in
        require(place.environment != "dev", "the release is not there")
    for name in ("database", "secret-key"):
        session.client("secretsmanager").get_secret_value(SecretId=place.secret(name))
    for name in ("system", "application"):
        _write(session, place.group(name), f"i-{time.time_ns()}/{_hour()}")
    session.client("cloudwatch").put_metric_data(
        Namespace=f"Lyceum/{place.environment}", MetricData=[{"MetricName": "mem_used_percent", "Value": 45.0}]
    )
    with TemporaryDirectory(dir=place.folder) as folder:
        env = {
            **server_environment(place.endpoint, f"{place.name}-server"),
            "LYCEUM_VAR_DIR": folder,
            "SECRET_KEY": "only-for-this-proof",
            "CONTENT_URL": f"s3://{place.content}",
            "PROGRESS_URL": f"dynamodb://{place.table}",
        }
        said = platform.Commands(platform.environment(env), place.log)("shell", "-c", STORES)
    require("stores are in order" in said, "the platform's stores did not come to their end")
    if place.environment != "dev":
        _empty(place)
    return "its release, its secrets, the platform's stores, logs and metrics"


def _hour() -> str:
    """As a server names the stream that it writes to."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H")


def _empty(place: Place) -> None:
    """As an administrator has to, before production's bucket can go: the deployer may not."""
    s3 = place.admin.client("s3")
    found = s3.list_object_versions(Bucket=place.content, Prefix="proof/")
    for one in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=place.content, Key=one["Key"], VersionId=one["VersionId"])


def _write(session: Session, group: str, stream: str) -> None:
    logs = session.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)
    event = {"timestamp": round(time.time() * 1000), "message": "a line"}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def _refused_to_servers(place: Place) -> list[Attempt]:
    other = "prod" if place.environment == "dev" else "dev"
    return [
        Attempt("read another bucket", lambda s, _: s.client("s3").get_object(Bucket=STATES, Key="platform-dev")),
        Attempt("list the trail's bucket", lambda s, _: s.client("s3").list_objects_v2(Bucket=AUDIT)),
        Attempt("read the other environment's videos", lambda s, _: s.client("s3").get_object(
            Bucket=f"lyceum-{other}-content-{ACCOUNT}", Key="x")),
        Attempt("write a release", lambda s, _: s.client("s3").put_object(
            Bucket=place.releases, Key="v-bad/lyceum.tar.gz", Body=b"x", IfNoneMatch="*")),
        Attempt("see old versions of videos", lambda s, _: s.client("s3").list_object_versions(Bucket=place.content)),
        Attempt("open the bucket", lambda s, _: s.client("s3").delete_bucket_policy(Bucket=place.content)),
        Attempt("delete the bucket", lambda s, _: s.client("s3").delete_bucket(Bucket=place.content)),
        Attempt("read the database's master password", lambda s, _: s.client("secretsmanager").get_secret_value(
            SecretId=_master(place))),
        Attempt("change a secret", lambda s, _: s.client("secretsmanager").put_secret_value(
            SecretId=place.secret("database"), SecretString="x")),
        Attempt("list the secrets", lambda s, _: s.client("secretsmanager").list_secrets()),
        Attempt("delete the table", lambda s, _: s.client("dynamodb").delete_table(TableName=place.table)),
        Attempt("read all of the table", lambda s, _: s.client("dynamodb").scan(TableName=place.table)),
        Attempt("delete somebody's progress", lambda s, _: s.client("dynamodb").delete_item(
            TableName=place.table, Key={"pk": {"S": "x"}, "sk": {"S": "x"}})),
        Attempt("read the other environment's table", lambda s, _: s.client("dynamodb").get_item(
            TableName=f"lyceum-{other}-progress", Key={"pk": {"S": "x"}, "sk": {"S": "x"}})),
        Attempt("open a key by itself", lambda s, _: s.client("kms").generate_data_key(
            KeyId=f"alias/{place.name}-secrets", KeySpec="AES_256")),
        Attempt("read the application's log", lambda s, _: s.client("logs").get_log_events(
            logGroupName=place.group("application"), logStreamName="x")),
        Attempt("delete a stream of it", lambda s, _: s.client("logs").delete_log_stream(
            logGroupName=place.group("application"), logStreamName="x")),
        Attempt("write to the log of sessions", lambda s, _: s.client("logs").put_log_events(
            logGroupName=place.group("sessions"), logStreamName="x", logEvents=[{"timestamp": 1, "message": "x"}])),
        Attempt("make a group of logs", lambda s, _: s.client("logs").create_log_group(logGroupName=place.group("x"))),
        Attempt("report as somebody else", lambda s, _: s.client("cloudwatch").put_metric_data(
            Namespace="AWS/EC2", MetricData=[{"MetricName": "x", "Value": 1.0}])),
        Attempt("silence an alarm", lambda s, _: s.client("cloudwatch").delete_alarms(
            AlarmNames=[f"{place.name}-group-at-max"])),
        Attempt("look at machines", lambda s, _: s.client("ec2").describe_instances()),
        Attempt("make a user", lambda s, _: s.client("iam").create_user(UserName="x")),
        Attempt("give itself a policy", lambda s, _: s.client("iam").put_role_policy(
            RoleName=f"{place.name}-server", PolicyName="x", PolicyDocument="{}")),
        Attempt("become the deployer", lambda s, _: s.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer", RoleSessionName="proof")),
        Attempt("start the purge", lambda s, _: s.client("lambda").invoke(FunctionName=f"{place.name}-purge-logs")),
    ]  # fmt: skip


def _master(place: Place) -> str:
    database = place.admin.client("rds").describe_db_instances(DBInstanceIdentifier=f"{place.name}-database")
    found = database["DBInstances"][0].get("MasterUserSecret") or {}
    # RDS's own name for it, where the emulator keeps none.
    return str(found.get("SecretArn") or f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-0-abcdef")


SESSION_MANAGER = (
    "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
)  # fmt: skip


def _agent_of_sessions(_: Place) -> list[Asks]:
    """Systems Manager User Guide, "Adding Session Manager permissions to an existing IAM role"."""
    return [(action, "*", {}) for action in SESSION_MANAGER]


def _mounts(place: Place) -> list[Asks]:
    """EFS User Guide, "Using IAM to control file system data access"."""
    found = place.admin.client("efs").describe_access_points()["AccessPoints"]
    point = next(
        one for one in found if one["Tags"] and {"Key": "Environment", "Value": place.environment} in one["Tags"]
    )
    system = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/{point['FileSystemId']}"
    told = {"elasticfilesystem:AccessPointArn": point["AccessPointArn"]}
    return [(f"elasticfilesystem:Client{what}", system, told) for what in ("Mount", "Write")]


def _mails(place: Place) -> list[Asks]:
    """SES Developer Guide: a letter, written for it or raw, is held against its identity and its configuration set."""
    statements = [s for p in own_policies(place, "server") for s in p.statements if s.sid == "Mail"]
    if not statements:
        return []
    told = {"ses:FromAddress": statements[0].conditions[0].values[0]}
    return [
        (f"ses:{what}", arn, told) for what in ("SendEmail", "SendRawEmail") for arn in statements[0].resources or ()
    ]


# ------------------------------------------------------------------------------------------------------- the others


def _purge(place: Place) -> str:
    """The function's own code, on groups in which a stream is overdue and one is not."""
    groups = [place.group("application"), place.group("system")]
    logs = place.admin.client("logs")
    for group in groups:
        for hour in ("2020-01-01T00", _hour()):
            logs.create_log_stream(logGroupName=group, logStreamName=f"i-{time.time_ns()}/{hour}")
    session = Session.as_role(place.endpoint, f"{place.name}-purge-logs")
    function = _function("purge_logs")
    try:
        with redirect_stdout(StringIO()):
            counts = function.run(session.client("logs"), groups, datetime.now(UTC), lambda: 300_000)
    except function.PurgeIncomplete as incomplete:
        raise Broken(f"the purge: {incomplete}") from None
    require(counts["deleted"] == len(groups), f"the purge deleted {counts['deleted']} streams of {len(groups)}")
    _lambda_logs(session, f"/aws/lambda/{place.name}-purge-logs", counts)
    return "the function's own code, and Lambda's log of it"


def _lambda_logs(session: Session, group: str, told: dict[str, Any]) -> None:
    """As Lambda writes a function's log, in the role's name."""
    logs, stream = session.client("logs"), f"proof-{time.time_ns()}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": round(time.time() * 1000), "message": json.dumps(told)}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def _function(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, paths.CHECKOUT / "functions" / name / f"{name}.py")
    if spec is None or spec.loader is None:
        raise Broken(f"functions/{name} is not there")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _refused_to_the_purge(place: Place) -> list[Attempt]:
    return [
        Attempt("read a line", lambda s, _: s.client("logs").get_log_events(
            logGroupName=place.group("application"), logStreamName="x")),
        Attempt("delete a session's log", lambda s, _: s.client("logs").delete_log_stream(
            logGroupName=place.group("sessions"), logStreamName="x")),
        Attempt("delete the trail's log", lambda s, _: s.client("logs").delete_log_stream(
            logGroupName="/lyceum/audit", logStreamName="x")),
        Attempt("delete a whole group", lambda s, _: s.client("logs").delete_log_group(
            logGroupName=place.group("application"))),
        Attempt("keep a group for ever", lambda s, _: s.client("logs").delete_retention_policy(
            logGroupName=place.group("application"))),
    ]  # fmt: skip


def _canary(place: Place) -> str:
    """The function's own code, at a door that is closed: that it tells so is all that takes a right."""
    session = Session.as_role(place.endpoint, f"{place.name}-canary")
    with redirect_stdout(StringIO()):
        # Nobody listens on the first of all ports.
        told = _function("canary").run(
            session.client("cloudwatch"), "http://127.0.0.1:1", f"Lyceum/{place.environment}"
        )
    require(not told["answered"], f"the canary found a page where there is none: {told}")
    _lambda_logs(session, f"/aws/lambda/{place.name}-canary", told)
    return "the function's own code, and Lambda's log of it"


def _refused_to_the_canary(place: Place) -> list[Attempt]:
    another = {"dev": "prod", "prod": "dev"}[place.environment]
    datum = [{"MetricName": "pages-answered", "Value": 1.0}]
    return [
        Attempt("tell for the other environment", lambda s, _: s.client("cloudwatch").put_metric_data(
            Namespace=f"Lyceum/{another}", MetricData=datum)),
        Attempt("tell in the name of AWS's agent", lambda s, _: s.client("cloudwatch").put_metric_data(
            Namespace="CWAgent", MetricData=datum)),
        Attempt("silence an alarm", lambda s, _: s.client("cloudwatch").delete_alarms(
            AlarmNames=[f"{place.name}-pages-fast-burn"])),
        Attempt("call an alarm good", lambda s, _: s.client("cloudwatch").set_alarm_state(
            AlarmName=f"{place.name}-pages-fast-burn", StateValue="OK", StateReason="x")),
        Attempt("read a line", lambda s, _: s.client("logs").get_log_events(
            logGroupName=place.group("application"), logStreamName="x")),
        Attempt("write into the platform's log", lambda s, _: s.client("logs").put_log_events(
            logGroupName=place.group("application"), logStreamName="x", logEvents=[{"timestamp": 1, "message": "x"}])),
        Attempt("read a secret", lambda s, _: s.client("secretsmanager").get_secret_value(
            SecretId=f"{place.name}-secret-key")),
        Attempt("read somebody's progress", lambda s, _: s.client("dynamodb").get_item(
            TableName=place.table, Key={"pk": {"S": "x"}, "sk": {"S": "x"}})),
        Attempt("start the purge", lambda s, _: s.client("lambda").invoke(FunctionName=f"{place.name}-purge-logs")),
    ]  # fmt: skip


def _schedule(place: Place, function: str = "purge-logs") -> list[Asks]:
    """EventBridge Scheduler User Guide, "Setting up: execution role"."""
    return [("lambda:InvokeFunction", place.function(function), {})]


def _sessions(place: Place) -> list[Asks]:
    """Systems Manager User Guide, "Create an IAM role with permissions for Session Manager and Amazon S3 and CloudWatch
    Logs", and "Turn on KMS key encryption of session data".
    """
    group = place.group("sessions")
    policy = next(iter(own_policies(place, "bastion")))
    key = next(s.resources[0] for s in policy.statements if s.sid == "OpenSessions" and s.resources)
    return [
        *_agent_of_sessions(place),
        ("logs:CreateLogStream", _logs(group, "x"), {}),
        ("logs:PutLogEvents", _logs(group, "x"), {}),
        ("logs:DescribeLogStreams", _logs(group), {}),
        ("logs:DescribeLogGroups", "*", {}),
        ("kms:Decrypt", key, {"aws:ResourceTag/Project": "lyceum"}),
    ]


def _flows(place: Place) -> list[Asks]:
    """VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs"."""
    group = place.group("flow")
    return [
        ("logs:CreateLogStream", _logs(group, "eni-1-reject"), {}),
        ("logs:PutLogEvents", _logs(group, "eni-1-reject"), {}),
        ("logs:DescribeLogStreams", _logs(group), {}),
        ("logs:DescribeLogGroups", "*", {}),
    ]


def _monitoring(_: Place) -> list[Asks]:
    """RDS User Guide, "Creating an IAM role for Enhanced Monitoring"."""
    return [
        ("logs:CreateLogGroup", _logs("RDSOSMetrics"), {}),
        ("logs:PutRetentionPolicy", _logs("RDSOSMetrics"), {}),
        ("logs:CreateLogStream", _logs("RDSOSMetrics", "db-1"), {}),
        ("logs:PutLogEvents", _logs("RDSOSMetrics", "db-1"), {}),
        ("logs:DescribeLogStreams", _logs("RDSOSMetrics"), {}),
    ]


def _copies(place: Place) -> list[Asks]:
    """What AWSBackupServiceRolePolicyForBackup and …ForS3Backup say of the three kinds of data that are copied."""
    own = {"aws:ResourceTag/Project": "lyceum"}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{place.table}"
    database = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{place.name}-database"
    return [
        ("dynamodb:CreateBackup", table, {}),
        ("dynamodb:DescribeTable", table, {}),
        ("rds:CreateDBSnapshot", database, {}),
        ("rds:CreateDBSnapshot", f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:awsbackup:job-1", {}),
        ("rds:DescribeDBInstances", "*", {}),
        ("elasticfilesystem:Backup", f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-1", own),
        ("s3:GetObject", f"arn:aws:s3:::{place.content}/x", {}),
        ("s3:ListBucket", f"arn:aws:s3:::{place.content}", {}),
        ("tag:GetResources", "*", {}),
    ]


def _migrations(place: Place) -> list[Asks]:
    """CodeBuild User Guide, "Allow CodeBuild access to AWS services required to create a VPC network interface", and
    CodePipeline User Guide, "Add CodeBuild GitClone permissions for connections".
    """
    own, via = {"aws:ResourceTag/Project": "lyceum"}, f"secretsmanager.{REGION}.amazonaws.com"
    policy = next(iter(own_policies(place, "migrate")))
    of = {statement.sid: statement for statement in policy.statements}
    interface = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*"
    subnets = next(one.values for one in of["LetCodeBuildUseIt"].conditions if one.key.lower() == "ec2:subnet")
    artifact = f"arn:aws:s3:::lyceum-pipeline-artifacts-{ACCOUNT}/lyceum-pipeline/Source/x"
    looks = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    return [
        *(("secretsmanager:GetSecretValue", arn, {}) for arn in (_master(place), place.secret("database"))),
        *(("kms:Decrypt", key, {**own, "kms:ViaService": via}) for key in of["KeysOfPasswords"].resources or ()),
        ("kms:Decrypt", KEY, {**own, "kms:ResourceAliases": ["alias/lyceum-pipeline"]}),
        ("logs:CreateLogStream", _logs(place.group("migrate"), "x"), {}),
        ("logs:PutLogEvents", _logs(place.group("migrate"), "x"), {}),
        ("s3:GetObject", artifact, {}),
        ("s3:GetObjectVersion", artifact, {}),
        ("codeconnections:UseConnection", f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/x", own),
        *(("ec2:CreateNetworkInterface", f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}", {})
          for kind in ("network-interface/*", "security-group/sg-1", "subnet/subnet-1")),
        ("ec2:DeleteNetworkInterface", interface, {}),
        *((f"ec2:Describe{what}", "*", {}) for what in looks),
        *(("ec2:CreateNetworkInterfacePermission", interface,
           {"ec2:AuthorizedService": "codebuild.amazonaws.com", "ec2:Subnet": subnet}) for subnet in subnets),
    ]  # fmt: skip


WITHIN = "the service asks for it in the role's name, inside itself: no call shows it"
GIVEN_UP = "an upload in parts that fails is given up, and none failed"
ROLES = (
    Role("server", "serves the platform", _serve,
         lambda place: [*_agent_of_sessions(place), *_mounts(place), *_mails(place)], _refused_to_servers,
         (Reason(WITHIN, ("server/platform/KeysOfDynamodb",)),
          Reason(GIVEN_UP, ("server/platform/Content s3:AbortMultipartUpload",)))),
    Role("purge-logs", "deletes old streams", _purge, refused=_refused_to_the_purge),
    Role("purge-schedule", "starts the purge", asks=_schedule),
    Role("canary", "asks for a page", _canary, refused=_refused_to_the_canary, environments=("prod",)),
    Role("canary-schedule", "starts the canary", asks=lambda place: _schedule(place, "canary"),
         environments=("prod",)),
    Role("bastion", "is reached through Session Manager", asks=_sessions),
    Role("migrate", "changes the database's tables", asks=_migrations),
    Role("flow-logs", "writes the flow log", asks=_flows),
    Role("database-monitoring", "writes the database's metrics", asks=_monitoring),
    Role("backup", "copies and restores", asks=_copies),
)  # fmt: skip


def of(place: Place) -> list[Role]:
    """The roles that an environment has."""
    return [role for role in ROLES if place.environment in role.environments]


# What no role of an environment may do, were it given every right: its boundary ends before these.
NEVER: tuple[Asks, ...] = (
    ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/x", {}),
    ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-x", {}),
    ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-server", {}),
    ("iam:DeleteRolePermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-server", {}),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-server", {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/lyceum-boundary", {}),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer", {}),
    ("s3:GetObject", f"arn:aws:s3:::{STATES}/platform-dev.tfstate", {}),
    ("s3:GetObject", f"arn:aws:s3:::{STATES}/bootstrap.tfstate", {}),
    ("s3:GetObject", f"arn:aws:s3:::{AUDIT}/x", {}),
    ("s3:GetObject", "arn:aws:s3:::another-bucket/x", {}),
    ("s3:DeleteBucket", f"arn:aws:s3:::lyceum-dev-content-{ACCOUNT}", {}),
    ("s3:PutBucketPolicy", f"arn:aws:s3:::lyceum-dev-content-{ACCOUNT}", {}),
    ("s3:PutLifecycleConfiguration", f"arn:aws:s3:::lyceum-dev-content-{ACCOUNT}", {}),
    ("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/another", {}),
    ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/lyceum-dev-progress", {}),
    ("dynamodb:UpdateTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/lyceum-dev-progress", {}),
    ("rds:DeleteDBInstance", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:lyceum-dev-database", {}),
    ("rds:ModifyDBInstance", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:lyceum-dev-database", {}),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:another-abcdef", {}),
    ("secretsmanager:PutSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:lyceum-dev-database-abc", {}),
    ("secretsmanager:DeleteSecret", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:lyceum-dev-database-abc", {}),
    ("kms:Decrypt", KEY, {"aws:ResourceTag/Project": "another"}),
    ("kms:Decrypt", KEY, {}),
    ("kms:PutKeyPolicy", KEY, {"aws:ResourceTag/Project": "lyceum"}),
    ("kms:ScheduleKeyDeletion", KEY, {"aws:ResourceTag/Project": "lyceum"}),
    ("kms:CreateGrant", KEY, {"aws:ResourceTag/Project": "lyceum", "kms:GrantIsForAWSResource": False}),
    ("ec2:RunInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*", {}),
    ("ec2:TerminateInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", {"aws:ResourceTag/Project": "lyceum"}),
    ("ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1", {}),
    ("ec2:CreateSnapshot", f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1", {}),
    ("ssm:SendCommand", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", {}),
    ("ssm:StartSession", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", {}),
    ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/x", {}),
    ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:lyceum-dev-purge-logs", {}),
    ("logs:DeleteLogGroup", _logs("/lyceum/dev/application"), {}),
    ("logs:DeleteLogStream", _logs("/lyceum/audit", "x"), {}),
    ("logs:GetLogEvents", _logs("/lyceum/dev/application", "x"), {}),
    ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/lyceum-audit", {}),
    ("backup:DeleteRecoveryPoint", f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:x", {}),
    ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", {}),
    ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:another", {}),
)


# ------------------------------------------------------------------------------------------------------- the proof


def own_policies(place: Place, role: str) -> list[Policy]:
    """The role's inline policies, which are ours; those of AWS's own that it attaches are not."""
    iam, name = place.admin.client("iam"), f"{place.name}-{role}"
    return [
        parse(f"{role}/{one}", iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"])
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]


def principal(place: Place, role: str) -> Principal:
    """A session of the role, with all that it is given and its boundary."""
    iam, name = place.admin.client("iam"), f"{place.name}-{role}"
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    given = (*own_policies(place, role), *(account.managed(iam, one["PolicyArn"]) for one in attached))
    bound = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    require(bool(bound), f"{name} has no boundary")
    return Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/x", ACCOUNT, given, account.managed(iam, bound),
                     role=f"arn:aws:iam::{ACCOUNT}:role/{name}")  # fmt: skip


def asked_of(who: Principal, asks: list[Asks] | tuple[Asks, ...]) -> Iterator[tuple[Request, bool]]:
    """Each request, as the role would make it, and whether it is allowed."""
    for action, resource, told in asks:
        request = Request(action, resource, context({"aws:PrincipalArn": who.stable, **told}))
        yield request, decide(who, request).allowed


def works(place: Place) -> str:
    """Each role does its work. Raises Broken with what it lacks."""
    from botocore.exceptions import ClientError

    from lyceum_ops.errors import CommandFailed

    before = len(account.decisions(place.endpoint)["refused"])
    lacks, done = [], 0
    for role in of(place):
        if role.run:
            try:
                role.run(place)
            except (ClientError, CommandFailed, Broken) as error:
                lacks.append(f"{place.name}-{role.name}: {error}")
        who = principal(place, role.name)
        for request, allowed in asked_of(who, role.asks(place)):
            done += 1
            if not allowed:
                lacks.append(f"{place.name}-{role.name} lacks {request.action} on {request.resource}")
    require(not lacks, listed(lacks, 12))
    told = account.decisions(place.endpoint)["refused"][before:]
    silent = {one["action"] for one in told if f"/{place.name}-" in one["who"]}
    require(not silent, f"refused, and nothing said so: {listed(sorted(silent))}")
    return f"{sum(bool(role.run) for role in of(place))} roles at work, {done} rights of AWS's services"


def contained(place: Place) -> str:
    """No role does more. Raises Broken with what it could."""
    could, tried = [], 0
    everything = parse("everything", account.EVERYTHING)
    for role in of(place):
        name = f"{place.name}-{role.name}"
        session = Session.as_role(place.endpoint, name)
        attempts = role.refused(place)
        could += [f"{name} can {one.what}" for one in attempts if not refused(session, {}, one)]
        who = principal(place, role.name)
        lifted = Principal(who.arn, who.account, (everything,), who.boundary, role=who.role)
        could += [f"{name} could {r.action} on {r.resource}, were it given it"
                  for r, allowed in asked_of(lifted, NEVER) if allowed]  # fmt: skip
        tried += len(attempts) + len(NEVER)
    require(not could, listed(could, 20))
    return f"{tried} attempts on {len(of(place))} roles, all refused"


def needed(place: Place) -> str:
    """Each part of the roles' own policies is noticed when it is taken away, or has its reason."""
    asked = account.asked_by(place.endpoint)
    lines = []
    for role in of(place):
        policies = own_policies(place, role.name)
        if not policies:
            continue
        who = principal(place, role.name)
        requests = [*asked.get(who.role, []), *(request for request, _ in asked_of(who, role.asks(place)))]
        lines.append(f"{role.name}: {minimal(policies, requests, role.reasons)}")
    return "\n                  ".join(lines)
