"""The doctor on an environment made by hand: well, then each part of it broken or missing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT, BUCKET, Emulated

from lyceum_ops import aws, doctor
from lyceum_ops.checks import Account, Check, Found, ok
from lyceum_ops.errors import Usage
from lyceum_ops.operate import Asked, Here

pytestmark = pytest.mark.runbook

CHECKS = {check.name: check for check in doctor.CHECKS}
REFUSED = {"error": ["AccessDenied", "User: arn:aws:iam::123456789012:user/eve is not authorized to perform: x:Y", 403]}
CONTENT = f"lyceum-dev-content-{ACCOUNT}"


def stamp(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def points(days: float, kinds: str = "RDS DynamoDB EFS S3") -> dict[str, Any]:
    made = [{"ResourceType": kind, "Status": "COMPLETED", "CreationDate": stamp(days=days)} for kind in kinds.split()]
    return {"result": {"RecoveryPoints": made}}


def group(serving: int, desired: int = 1, largest: int = 2) -> dict[str, Any]:
    server = {"LifecycleState": "InService", "HealthStatus": "Healthy", "InstanceId": "i-1", "AvailabilityZone": "a",
              "ProtectedFromScaleIn": False}  # fmt: skip
    return {
        "result": {
            "AutoScalingGroups": [
                {
                    "AutoScalingGroupName": "lyceum-dev-servers", "MinSize": 1, "DesiredCapacity": desired,
                    "MaxSize": largest, "DefaultCooldown": 300, "AvailabilityZones": ["a"], "HealthCheckType": "ELB",
                    "CreatedTime": stamp(), "Instances": [server] * serving,
                }
            ]
        }
    }  # fmt: skip


def health(*states: str) -> dict[str, Any]:
    return {
        "result": {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"i-{number}"}, "TargetHealth": {"State": state}}
                for number, state in enumerate(states)
            ]
        }
    }


# What moto does not bring about by itself: servers that serve, free storage, weekly backups.
WELL: dict[str, Any] = {
    "autoscaling:DescribeAutoScalingGroups": group(1),
    "elasticloadbalancing:DescribeTargetHealth": health("healthy"),
    "backup:ListRecoveryPointsByBackupVault": points(2),
}


def build(account: Emulated) -> None:
    """An environment under the names that infra/ gives, as small as can be."""
    ec2, elb = account.client("ec2"), account.client("elbv2")
    s3 = account.client("s3")
    for bucket in (BUCKET, CONTENT):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=CONTENT, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket=CONTENT,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    tags = [{"Key": "Name", "Value": "lyceum-dev-server"}, {"Key": "Release", "Value": "1.4.0"}]
    ec2.run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnets[0],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )  # fmt: skip
    elb.create_load_balancer(Name="lyceum-dev", Subnets=subnets)
    elb.create_target_group(Name="lyceum-dev-servers-8000", Protocol="HTTP", Port=8000, VpcId=vpc)
    rules = _rules(ec2, vpc)
    account.client("rds").create_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", DBInstanceClass="db.t4g.micro", Engine="postgres",
        AllocatedStorage=20, MasterUsername="lyceum_admin", MasterUserPassword="rehearsal-only",
        VpcSecurityGroupIds=[rules["group"]], PubliclyAccessible=False, AutoMinorVersionUpgrade=False,
        BackupRetentionPeriod=1, EnablePerformanceInsights=False,
    )  # fmt: skip
    dynamodb = account.client("dynamodb")
    dynamodb.create_table(
        TableName="lyceum-dev-progress", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )  # fmt: skip
    dynamodb.update_continuous_backups(
        TableName="lyceum-dev-progress", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    s3.put_object(Bucket=BUCKET, Key="platform-dev.tfstate", Body=json.dumps(_state(rules)).encode())
    efs = account.client("efs")
    files = efs.create_file_system(CreationToken="lyceum-dev-files")["FileSystemId"]
    efs.create_mount_target(FileSystemId=files, SubnetId=subnets[0])
    account.client("backup").create_backup_vault(BackupVaultName="lyceum-dev-backup")
    ring(account, "latency", "look", "OK")


def _rules(ec2: Any, vpc: str) -> dict[str, str]:
    """A group with a rule each way, and an ACL that lets 443 in and refuses the rest of the VPC. Their ids."""
    made = {
        "vpc": vpc,
        "group": ec2.create_security_group(VpcId=vpc, GroupName="lyceum-dev-server", Description="x")["GroupId"],
    }
    # As Terraform does with what AWS adds to each new group.
    (open_,) = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [made["group"]]}])[
        "SecurityGroupRules"
    ]
    ec2.revoke_security_group_egress(GroupId=made["group"], SecurityGroupRuleIds=[open_["SecurityGroupRuleId"]])
    for kind, port in (("ingress", 8000), ("egress", 443)):
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        (rule,) = getattr(ec2, f"authorize_security_group_{kind}")(GroupId=made["group"], IpPermissions=[permission])[
            "SecurityGroupRules"
        ]
        made[kind] = rule["SecurityGroupRuleId"]
    made["acl"] = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": made["acl"], "Egress": False}
    ec2.create_network_acl_entry(
        **entry, RuleNumber=100, Protocol="6", RuleAction="allow", CidrBlock="0.0.0.0/0",
        PortRange={"From": 443, "To": 443},
    )  # fmt: skip
    ec2.create_network_acl_entry(**entry, RuleNumber=500, Protocol="-1", RuleAction="deny", CidrBlock="10.0.0.0/16")
    return made


def _state(rules: dict[str, str]) -> dict[str, Any]:
    """What Terraform wrote down of it, in the form of version 4."""
    nobody = {"cidr_ipv6": None, "prefix_list_id": None, "referenced_security_group_id": None}
    acl = {"ipv6_cidr_block": "", "icmp_code": 0, "icmp_type": 0}
    kept: dict[str, dict[str, Any]] = {
        "aws_security_group": {"id": rules["group"], "name": "lyceum-dev-server"},
        **{
            f"aws_vpc_security_group_{kind}_rule": {
                **nobody, "security_group_rule_id": rules[kind], "security_group_id": rules["group"],
                "cidr_ipv4": "10.0.0.0/16", "ip_protocol": "tcp", "from_port": port, "to_port": port,
            }
            for kind, port in (("ingress", 8000), ("egress", 443))
        },
        "aws_network_acl": {
            "id": rules["acl"], "vpc_id": rules["vpc"], "tags": {"Name": "lyceum-dev-public"}, "egress": [],
            "ingress": [
                {**acl, "rule_no": 100, "action": "allow", "protocol": "6", "cidr_block": "0.0.0.0/0",
                 "from_port": 443, "to_port": 443},
                {**acl, "rule_no": 500, "action": "deny", "protocol": "-1", "cidr_block": "10.0.0.0/16",
                 "from_port": 0, "to_port": 0},
            ],
        },
        "aws_autoscaling_group": {"name": "lyceum-dev-servers", "min_size": 1, "max_size": 2,
                                  "suspended_processes": None},
        "aws_db_instance": {
            "identifier": "lyceum-dev-database", "instance_class": "db.t4g.micro", "multi_az": False,
            "publicly_accessible": False, "deletion_protection": False, "backup_retention_period": 1,
            "auto_minor_version_upgrade": False, "performance_insights_enabled": False,
            "vpc_security_group_ids": [rules["group"]],
        },
        "aws_dynamodb_table": {"name": "lyceum-dev-progress", "deletion_protection_enabled": False},
        "aws_s3_bucket_public_access_block": {
            "bucket": CONTENT, "block_public_acls": True, "block_public_policy": True, "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
    }  # fmt: skip
    return {
        "version": 4,
        "resources": [
            {"mode": "managed", "type": kind, "name": "this", "instances": [{"attributes": attributes}]}
            for kind, attributes in kept.items()
        ],
    }


def ring(account: Emulated, alarm: str, severity: str, state: str = "ALARM") -> None:
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=f"lyceum-dev-{alarm}", AlarmDescription=f"{severity}: so.", Namespace="AWS/X", MetricName="x",
        Period=60, EvaluationPeriods=1, Statistic="Sum", Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=f"lyceum-dev-{alarm}", StateValue=state, StateReason="a test says so")


@pytest.fixture
def environment(account: Emulated) -> Emulated:
    build(account)
    account.say(WELL)
    return account


def verdict(emulated: Emulated, here: Here, name: str, environment: str = "dev") -> Found:
    """What one check finds in the environment as it is."""
    session = emulated.session
    account = Account(here=here, session=session, caller=aws.identify(session), region="us-east-1",
                      environment=environment, domain="", nat="", _clients=emulated.clients)  # fmt: skip
    return doctor.examine(account, (CHECKS[name],))[0][1]


def test_a_well_environment_is_told_so_within_ten_seconds(
    environment: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    assert doctor.run(here, "dev", asked=Asked()) == 0, capsys.readouterr().out
    assert time.monotonic() - began < 10
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"0 fail, 0 unknown, 0 warn, {len(CHECKS)} ok", said
    assert "1.4.0 on 1" in said
    with pytest.raises(Usage, match="no environment"):
        doctor.run(here, "stage", asked=Asked())


def test_of_an_absent_environment_everything_is_missing_and_nothing_breaks(
    account: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.run(here, "dev", asked=Asked()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["fail"] * (len(CHECKS) - 1) + ["ok"], lines
    assert all(re.search(r"there is no|no server", line) and "docs/runbook/" in line for line in lines[:-2]), lines
    assert lines[-2].startswith("ok       credentials")


def test_a_half_built_environment_says_what_is_missing(
    environment: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.client("dynamodb").delete_table(TableName="lyceum-dev-progress")
    environment.client("rds").delete_db_instance(DBInstanceIdentifier="lyceum-dev-database", SkipFinalSnapshot=True)
    assert doctor.run(here, "dev", asked=Asked()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines[:2]) == [
        "fail     database  there is no database lyceum-dev-database  docs/runbook/first-deployment.md",
        "fail     table  there is no table lyceum-dev-progress  docs/runbook/first-deployment.md",
    ]
    assert lines[2].startswith("warn     drift  lyceum-dev-database is gone; lyceum-dev-progress is gone"), lines
    assert lines[3].startswith("ok"), lines


def instances(**database: Any) -> dict[str, Any]:
    told = {"DBInstanceStatus": "available", "AllocatedStorage": 20, "DBInstanceArn": "arn:aws:rds:x", **database}
    return {"rds:DescribeDBInstances": {"result": {"DBInstances": [told]}}}


def free(gib: float) -> dict[str, Any]:
    point = {"Timestamp": stamp(minutes=2), "Minimum": gib * 2**30, "Unit": "Bytes"}
    return {"monitoring:GetMetricStatistics": {"result": {"Label": "x", "Datapoints": [point]}}}


def maintenance(action: str) -> dict[str, Any]:
    told = {"ResourceIdentifier": "arn:aws:rds:x", "PendingMaintenanceActionDetails": [{"Action": action}]}
    return {"rds:DescribePendingMaintenanceActions": {"result": {"PendingMaintenanceActions": [told]}}}


@pytest.mark.parametrize(
    ("name", "answers", "expected", "page"),
    [
        ("group", {"autoscaling:DescribeAutoScalingGroups": group(0)}, "fail", "no-healthy-server"),
        ("group", {"autoscaling:DescribeAutoScalingGroups": group(1, 2, 3)}, "warn", "unhealthy-servers"),
        ("group", {"autoscaling:DescribeAutoScalingGroups": group(2, 2)}, "warn", "group-at-max"),
        ("targets", {"elasticloadbalancing:DescribeTargetHealth": health()}, "fail", "no-healthy-server"),
        ("targets", {"elasticloadbalancing:DescribeTargetHealth": health("unhealthy")}, "fail", "no-healthy-server"),
        (
            "targets", {"elasticloadbalancing:DescribeTargetHealth": health("healthy", "unhealthy")}, "warn",
            "unhealthy-servers",
        ),
        ("database", instances(DBInstanceStatus="storage-full"), "fail", "lose-the-database"),
        ("database", instances(DBInstanceStatus="modifying"), "warn", "lose-the-database"),
        ("database", free(0.5), "fail", "database-storage"),
        ("database", free(1.5), "warn", "database-storage"),
        ("database", {**free(15), **maintenance("system-update")}, "warn", "patch"),
        ("backups", {"backup:ListRecoveryPointsByBackupVault": points(9)}, "fail", "backup-failed"),
        ("backups", {"backup:ListRecoveryPointsByBackupVault": points(1, "RDS S3 EFS")}, "fail", "backup-failed"),
        ("backups", {"backup:ListRecoveryPointsByBackupVault": points(1, "")}, "warn", "backup-failed"),
    ],
)  # fmt: skip
def test_what_is_broken_is_told_with_its_page(
    environment: Emulated, here: Here, name: str, answers: dict[str, Any], expected: str, page: str
) -> None:
    assert verdict(environment, here, name).verdict == "ok"
    environment.say({**WELL, **answers})
    found = verdict(environment, here, name)
    assert (found.verdict, found.hint) == (expected, f"docs/runbook/{page}.md"), found


def _stop_servers(account: Emulated) -> None:
    ec2 = account.client("ec2")
    servers = ec2.describe_instances()["Reservations"]
    ec2.terminate_instances(InstanceIds=[each["InstanceId"] for one in servers for each in one["Instances"]])


def _tag_none(account: Emulated) -> None:
    ec2 = account.client("ec2")
    server = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]
    ec2.create_tags(Resources=[server], Tags=[{"Key": "Release", "Value": "none"}])


def _open_the_bucket(account: Emulated) -> None:
    account.client("s3").delete_public_access_block(Bucket=CONTENT)


def _keep_no_versions(account: Emulated) -> None:
    account.client("s3").put_bucket_versioning(Bucket=CONTENT, VersioningConfiguration={"Status": "Suspended"})


def _lose_the_state(account: Emulated) -> None:
    account.client("s3").delete_object(Bucket=BUCKET, Key="platform-dev.tfstate")


def _no_recovery(account: Emulated) -> None:
    account.client("dynamodb").update_continuous_backups(
        TableName="lyceum-dev-progress", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def _rule_ids(account: Emulated) -> dict[str, Any]:
    """The group that serves, and the rule by which requests come to it."""
    ec2 = account.client("ec2")
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["lyceum-dev-server"]}])[
        "SecurityGroups"
    ]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    inward = next(one for one in rules["SecurityGroupRules"] if not one["IsEgress"] and one["FromPort"] == 8000)
    return {"GroupId": group["GroupId"], "SecurityGroupRuleIds": [inward["SecurityGroupRuleId"]]}


def _open_a_port(account: Emulated) -> None:
    group = _rule_ids(account)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def _close_a_port(account: Emulated) -> None:
    account.client("ec2").revoke_security_group_ingress(**_rule_ids(account))


def _acl(account: Emulated, what: str, **more: Any) -> None:
    ec2 = account.client("ec2")
    acl = next(
        one["NetworkAclId"]
        for one in ec2.describe_network_acls()["NetworkAcls"]
        if any(entry["RuleNumber"] == 500 for entry in one["Entries"])
    )
    getattr(ec2, f"{what}_network_acl_entry")(NetworkAclId=acl, Egress=False, **more)


def _modify(account: Emulated, **settings: Any) -> None:
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", ApplyImmediately=True, **settings
    )


@pytest.mark.parametrize(
    ("harm", "expected", "said"),
    [
        (_open_a_port, "fail", "was added: in from 0.0.0.0/0, protocol 6, ports 22"),
        (_close_a_port, "warn", "lyceum-dev-server: sgr-"),
        (lambda a: _acl(a, "delete", RuleNumber=500), "fail", "lyceum-dev-public, in 500 is gone"),
        (lambda a: _acl(a, "delete", RuleNumber=100), "warn", "lyceum-dev-public, in 100 is gone"),
        (
            lambda a: _acl(a, "create", RuleNumber=90, Protocol="6", RuleAction="allow", CidrBlock="0.0.0.0/0",
                           PortRange={"From": 22, "To": 22}),
            "fail", "in 90 was added: allow 0.0.0.0/0, protocol 6, ports 22-22",
        ),
        (lambda a: _modify(a, BackupRetentionPeriod=0), "warn", "BackupRetentionPeriod is 0, not 1"),
        (lambda a: _modify(a, PubliclyAccessible=True), "fail", "PubliclyAccessible is True, not False"),
        (lambda a: a.client("s3").delete_public_access_block(Bucket=CONTENT), "fail", "BlockPublicAcls is False"),
        (
            lambda a: a.say({**WELL, "autoscaling:DescribeAutoScalingGroups": group(1, 1, 9)}),
            "warn", "lyceum-dev-servers: MaxSize is 9, not 2",
        ),
        (
            lambda a: a.client("dynamodb").update_table(TableName="lyceum-dev-progress",
                                                        DeletionProtectionEnabled=True),
            "warn", "lyceum-dev-progress: protected from deletion is True, not False",
        ),
        (
            lambda a: a.client("rds").delete_db_instance(DBInstanceIdentifier="lyceum-dev-database",
                                                         SkipFinalSnapshot=True),
            "warn", "lyceum-dev-database is gone",
        ),
        (
            lambda a: a.client("s3").put_object(Bucket=BUCKET, Key="platform-dev.tfstate", Body=b"no JSON"),
            "unknown", "is no JSON",
        ),
        (
            lambda a: a.client("s3").put_object(Bucket=BUCKET, Key="platform-dev.tfstate", Body=b"{}"),
            "warn", "names nothing that is compared",
        ),
    ],
)  # fmt: skip
def test_what_a_hand_changed_is_told(
    environment: Emulated, here: Here, harm: Callable[[Emulated], Any], expected: str, said: str
) -> None:
    before = verdict(environment, here, "drift")
    assert before.verdict == "ok", before
    assert int(before.text.split()[0]) > 15
    harm(environment)
    found = verdict(environment, here, "drift")
    assert (found.verdict, said in found.text, found.hint) == (expected, True, "docs/runbook/drift.md"), found


def test_many_changes_are_told_the_worst_first(environment: Emulated, here: Here) -> None:
    for harm in (_open_a_port, _close_a_port, _open_the_bucket):
        harm(environment)
    _modify(environment, BackupRetentionPeriod=0, DeletionProtection=True)
    found = verdict(environment, here, "drift")
    assert found.verdict == "fail"
    assert found.text.startswith("lyceum-dev-server: sgr-")
    assert "was added: in from 0.0.0.0/0" in found.text.split("; ")[0]
    assert found.text.endswith("; and 5 more")


@pytest.mark.parametrize(
    ("name", "harm", "expected", "page"),
    [
        ("release", _stop_servers, "fail", "no-healthy-server"),
        ("release", _tag_none, "warn", "release"),
        ("table", _no_recovery, "warn", "drift"),
        ("bucket", _open_the_bucket, "fail", "bucket-policy-changes"),
        ("bucket", _keep_no_versions, "warn", "drift"),
        ("alarms", lambda a: ring(a, "latency", "look"), "warn", "latency"),
        ("state", _lose_the_state, "fail", "first-deployment"),
    ],
)  # fmt: skip
def test_what_was_harmed_is_told_with_its_page(
    environment: Emulated, here: Here, name: str, harm: Callable[[Emulated], Any], expected: str, page: str
) -> None:
    assert verdict(environment, here, name).verdict == "ok"
    harm(environment)
    found = verdict(environment, here, name)
    assert (found.verdict, found.hint) == (expected, f"docs/runbook/{page}.md"), found


def test_an_alarm_that_wakes_comes_before_one_that_waits(environment: Emulated, here: Here) -> None:
    ring(environment, "latency", "look")
    ring(environment, "target-errors", "wake")
    found = verdict(environment, here, "alarms")
    assert (found.verdict, found.text) == ("fail", "2 of 2 ring: target-errors, latency")
    assert found.hint == "docs/runbook/target-errors.md"


def test_a_lock_names_its_holder_and_an_old_one_fails(environment: Emulated, here: Here) -> None:
    lock = json.dumps({"ID": "11-22", "Who": "alice@laptop"})
    environment.client("s3").put_object(Bucket=BUCKET, Key="platform-dev.tfstate.tflock", Body=lock.encode())
    found = verdict(environment, here, "state")
    assert (found.verdict, found.hint) == ("warn", "docs/runbook/state-lock-stuck.md")
    assert "alice@laptop for 0 minutes, ID 11-22" in found.text


@pytest.mark.parametrize(
    ("days", "status", "expected"),
    [(200, "ISSUED", "ok"), (30, "ISSUED", "warn"), (20, "ISSUED", "fail"), (200, "EXPIRED", "fail")],
)
def test_a_certificate_that_ends(environment: Emulated, here: Here, days: int, status: str, expected: str) -> None:
    arn = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1"
    told = {"DomainName": "learn.example.org", "Status": status, "NotAfter": stamp(days=-days, hours=-1)}
    listeners = {"Listeners": [{"Certificates": [{"CertificateArn": arn}]}]}
    environment.say({
        **WELL,
        "elasticloadbalancing:DescribeListeners": {"result": listeners},
        "acm:DescribeCertificate": {"result": {"Certificate": told}},
    })  # fmt: skip
    assert verdict(environment, here, "certificate").verdict == expected


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "credentials"])
def test_what_may_not_be_asked_is_unknown_and_never_ok(environment: Emulated, here: Here, name: str) -> None:
    services = {part.split(":")[0].strip() for part in CHECKS[name].asks.split(",")}
    # As the wire calls it, and IAM does not.
    services = {"monitoring" if service == "cloudwatch" else service for service in services}
    environment.say({f"{service}:*": REFUSED for service in services})
    found = verdict(environment, here, name)
    assert found.verdict == "unknown", found
    assert CHECKS[name].asks in found.hint


def test_without_credentials_it_says_so_and_asks_nothing_else(
    account: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    account.say({"*": {"error": ["ExpiredToken", "expired", 403]}})
    assert doctor.run(here, "dev", asked=Asked()) == 1
    said = capsys.readouterr().out
    assert said.startswith("fail     credentials  The AWS credentials have expired.")
    assert f"{len(CHECKS) - 1} checks were not made" in said


def test_what_hangs_is_unknown_and_does_not_hold_up_the_rest(account: Emulated, here: Here) -> None:
    def hang(_: Account) -> Found:
        time.sleep(5)
        return ok("late")

    asking = Account(here=here, session=account.session, caller=None, region="", environment="dev", domain="", nat="")
    began = time.monotonic()
    checks = (Check("quick", "x:Y", lambda _: ok("there")), Check("hung", "x:Y", hang))
    found = doctor.examine(asking, checks, patience=0.3)
    assert time.monotonic() - began < 2
    assert [(check.name, one.verdict) for check, one in found] == [("hung", "unknown"), ("quick", "ok")]
