"""What the runbook's pages ask of AWS before they change anything is asked, on an environment made by hand."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jmespath
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.lyceum_ops.conftest import ACCOUNT, BUCKET, CHECKOUT, Emulated
from tests.lyceum_ops.test_doctor import WELL, build

from lyceum_lab.documents.runbook import check, pages
from lyceum_lab.documents.runbook.awscli import Call

pytestmark = pytest.mark.runbook

# What the emulator cannot answer: of these, only that they are calls that AWS knows is shown. When it learns one, it
# goes from this list.
GAPS = {
    "cloudtrail:LookupEvents", "iam:SimulatePrincipalPolicy", "pi:DescribeDimensionKeys",
    "rds:DescribeDBEngineVersions", "sesv2:GetAccount", "sesv2:GetSuppressedDestination",
}  # fmt: skip
# What asks for an example that a page gives, and for what it makes itself: understood, and not found.
NOT_FOUND = {
    "ec2:GetConsoleOutput", "iam:GetAccessKeyLastUsed", "lambda:GetFunction", "scheduler:GetSchedule",
    "sesv2:GetEmailIdentity",
}  # fmt: skip


def complete(account: Emulated, *people: str) -> None:
    """What pages look at besides what the doctor does."""
    iam, kms = account.client("iam"), account.client("kms")
    iam.create_group(GroupName="lyceum-deployers")
    for person in ("lyceum-deployer", *people):
        iam.create_user(UserName=person)
        iam.create_access_key(UserName=person)
        iam.add_user_to_group(GroupName="lyceum-deployers", UserName=person)
        iam.create_login_profile(UserName=person, Password=f"rehearsal-only-{person}-1A")
    for group in ("/lyceum/audit", "/lyceum/dev/application", "/lyceum/dev/system"):
        account.client("logs").create_log_group(logGroupName=group)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/lyceum-dev-progress", TargetKeyId=key)
    for secret in ("database", "secret-key"):
        account.client("secretsmanager").create_secret(Name=f"lyceum-dev-{secret}", SecretString="rehearsal-only")
    account.client("s3").put_object(Bucket=BUCKET, Key="platform-dev.tfstate.tflock", Body=b"{}")
    account.client("s3").create_bucket(Bucket=f"lyceum-audit-{ACCOUNT}")
    trail = account.client("cloudtrail")
    trail.create_trail(Name="lyceum-audit", S3BucketName=f"lyceum-audit-{ACCOUNT}")
    trail.start_logging(Name="lyceum-audit")
    account.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={"BudgetName": "lyceum-monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": "400", "Unit": "USD"}},
    )  # fmt: skip


def back_up(account: Emulated) -> None:
    """A recovery point of each store, as Sunday's plan makes them."""
    database = account.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    table = account.client("dynamodb").describe_table(TableName="lyceum-dev-progress")["Table"]["TableArn"]
    files = account.client("efs").describe_file_systems()["FileSystems"][0]["FileSystemArn"]
    for arn in (database, table, files, f"arn:aws:s3:::lyceum-dev-content-{ACCOUNT}"):
        account.client("backup").start_backup_job(
            BackupVaultName="lyceum-dev-backup", ResourceArn=arn,
            IamRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-backup",
        )  # fmt: skip


def make(account: Emulated, call: Call) -> Any:
    """The answer, as --query picks from it."""
    client = account.client({"s3api": "s3"}.get(call.service, call.service))
    answer = getattr(client, xform_name(call.operation))(**call.parameters)
    answer.pop("Body", None)
    # The command line makes text of times before it queries.
    answer = json.loads(json.dumps(answer, default=str))
    return jmespath.search(call.query, answer) if call.query else answer


def test_what_the_pages_ask_is_answered(account: Emulated) -> None:
    build(account)
    complete(account, "alice")
    back_up(account)
    account.say({name: said for name, said in WELL.items() if not name.startswith("backup:")})
    outcomes: Counter[str] = Counter()
    refused: dict[str, set[str]] = {"gap": set(), "not found": set()}
    told: dict[str, str] = {}

    def answer(call: Call) -> str:
        if repr(call) not in told:
            told[repr(call)] = ""
            try:
                found = make(account, call)
                outcomes["answered"] += 1
                told[repr(call)] = found if isinstance(found, str) else ""
            except ClientError as error:
                code = error.response["Error"]["Code"]
                kind = (
                    "gap" if code == "EmulatorGap" else "not found" if "NotFound" in code or "NoSuch" in code else code
                )
                refused.setdefault(kind, set()).add(f"{call.service}:{call.operation}")
        return told[repr(call)]

    for page in check.load(CHECKOUT / "docs" / "runbook").values():
        check.ask(page, answer)
    assert refused.pop("gap") == GAPS
    assert refused.pop("not found") == NOT_FOUND
    assert refused == {}
    assert outcomes["answered"] >= 100, outcomes


# Of the changes, too: what the emulator cannot do, at least not as a page asks.
GAPS_IN_CHANGES = {
    "arc-zonal-shift:StartZonalShift", "autoscaling:TerminateInstanceInAutoScalingGroup",
    "rds:ApplyPendingMaintenanceAction", "rds:ModifyDBInstance", "sesv2:DeleteSuppressedDestination",
}  # fmt: skip
# Changes of an example that a page gives, of what a gap did not make, or of what is well where the page is for what is
# not: understood, and refused.
REFUSED = {
    "iam:DeleteAccessKey", "iam:UpdateAccessKey", "lambda:Invoke", "rds:StartDBInstance",
}  # fmt: skip


def make_changeable(account: Emulated) -> None:
    """What pages change besides what they look at."""
    ec2, iam = account.client("ec2"), account.client("iam")
    subnets = [
        one["SubnetId"] for one in ec2.describe_subnets(Filters=[{"Name": "cidr", "Values": ["10.0.*"]}])["Subnets"]
    ]
    account.client("rds").create_db_subnet_group(
        DBSubnetGroupName="lyceum-dev-database", DBSubnetGroupDescription="data", SubnetIds=subnets
    )
    account.client("rds").create_db_parameter_group(
        DBParameterGroupName="lyceum-dev-postgres17", DBParameterGroupFamily="postgres17", Description="as applied"
    )
    # As prod has it: without a standby, a failover is refused.
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", MultiAZ=True, ApplyImmediately=True
    )
    iam.create_role(RoleName="lyceum-dev-server", AssumeRolePolicyDocument="{}")
    ec2.create_launch_template(
        LaunchTemplateName="lyceum-dev-server",
        LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t2.micro"},
    )
    account.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="lyceum-dev-servers", MinSize=1, MaxSize=2, VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateName": "lyceum-dev-server", "Version": "$Latest"},
    )  # fmt: skip


def test_what_the_pages_change_is_changed(account: Emulated) -> None:
    """Each page that changes something in AWS, on an environment of its own."""
    done: set[str] = set()
    restored: set[tuple[str, str]] = set()
    refused: dict[str, set[str]] = {}
    for page in check.load(CHECKOUT / "docs" / "runbook").values():
        if not any(each.block != pages.READS and each.text.startswith("aws ") for each in page.commands):
            continue
        account.reset()
        build(account)
        complete(account, *([] if page.name == "add-and-remove-an-operator" else ["alice"]))
        make_changeable(account)
        back_up(account)

        def answer(call: Call) -> str:
            name = f"{call.service}:{call.operation}"
            try:
                found = make(account, call)
            except ClientError as error:
                if not call.reads:
                    refused.setdefault(error.response["Error"]["Code"], set()).add(name)
                return ""
            if not call.reads:
                done.add(name)
            return found if isinstance(found, str) else ""

        check.ask(page, answer, changes=True)
        if page.name == "restore-all":
            restored |= {
                (job["ResourceType"], job["Status"])
                for job in account.client("backup").list_restore_jobs()["RestoreJobs"]
            }
    assert restored == {(kind, "COMPLETED") for kind in ("RDS", "DynamoDB", "EFS", "S3")}
    assert refused.pop("EmulatorGap") == GAPS_IN_CHANGES
    assert set().union(*refused.values()) == REFUSED
    assert len(done) >= 20, done
