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

from lyceum_lab.documents.runbook import check
from lyceum_lab.documents.runbook.awscli import Call

pytestmark = pytest.mark.runbook

# What the emulator cannot answer: of these, only that they are calls that AWS knows is shown. When it learns one, it
# goes from this list.
GAPS = {
    "backup:GetRecoveryPointRestoreMetadata", "backup:ListBackupJobs", "backup:ListRestoreJobs",
    "cloudtrail:LookupEvents", "iam:SimulatePrincipalPolicy", "pi:DescribeDimensionKeys",
    "rds:DescribeDBEngineVersions", "sesv2:GetAccount", "sesv2:GetSuppressedDestination",
}  # fmt: skip
# What asks for an example that a page gives, and for what it makes itself: understood, and not found.
NOT_FOUND = {
    "ec2:GetConsoleOutput", "iam:GetAccessKeyLastUsed", "lambda:GetFunction", "rds:DescribeDBInstances",
    "scheduler:GetSchedule", "sesv2:GetEmailIdentity",
}  # fmt: skip


def complete(account: Emulated) -> None:
    """What pages look at besides what the doctor does."""
    iam, kms = account.client("iam"), account.client("kms")
    iam.create_group(GroupName="lyceum-deployers")
    for person in ("lyceum-deployer", "alice"):
        iam.create_user(UserName=person)
        iam.create_access_key(UserName=person)
        iam.add_user_to_group(GroupName="lyceum-deployers", UserName=person)
    for group in ("/lyceum/audit", "/lyceum/dev/application", "/lyceum/dev/system"):
        account.client("logs").create_log_group(logGroupName=group)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/lyceum-dev-progress", TargetKeyId=key)
    account.client("secretsmanager").create_secret(Name="lyceum-dev-database", SecretString="rehearsal-only")
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
    complete(account)
    account.say(WELL)
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
