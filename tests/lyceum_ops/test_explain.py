"""What Terraform says where it cannot be provoked in a test, and what becomes of it. The rest: test_operate.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyceum_ops import changes
from lyceum_ops.errors import CommandFailed, DiskFull, LyceumError, NoCredentials, NotPermitted, StateLocked, WrongPlace
from lyceum_ops.explain import explain

SAID = [
    ("Error: Failed to save state: write terraform.tfstate: no space left on device", DiskFull, "disk is full"),
    (
        "creating EC2 VPC: operation error EC2: CreateVpc, https response error StatusCode: 403, RequestID: 1, "
        "api error UnauthorizedOperation: You are not authorized to perform this operation. User: "
        "arn:aws:sts::1:assumed-role/lyceum-deployer/x is not authorized to perform: ec2:CreateVpc on resource: "
        "arn:aws:ec2:us-east-1:1:vpc/* because no identity-based policy allows the ec2:CreateVpc action. "
        "Encoded authorization failure message: abc",
        NotPermitted,
        "does not permit ec2:CreateVpc to arn:aws:sts::1:assumed-role/lyceum-deployer/x (no identity-based policy)",
    ),
    (
        "User: arn:aws:sts::1:assumed-role/a/x is not authorized to perform: iam:CreateRole on resource: r "
        "with an explicit deny in a permissions boundary",
        NotPermitted,
        "(explicit deny in a permissions boundary)",
    ),
    (
        "reading Bucket: operation error S3: GetBucketPolicy, StatusCode: 403, api error AccessDenied: Access Denied",
        NotPermitted,
        "does not permit S3 GetBucketPolicy",
    ),
    (
        "api error ExpiredTokenException: The security token included in the request is expired",
        NoCredentials,
        "expired",
    ),
    ("api error PermanentRedirect: The bucket you are attempting to access must be addressed", WrongPlace, "region"),
    ("Error: Error acquiring the state lock\n\nError message: resource temporarily unavailable", StateLocked, "locked"),
]


@pytest.mark.parametrize(("text", "kind", "expected"), SAID)
def test_terraforms_errors_become_ours(text: str, kind: type[LyceumError], expected: str) -> None:
    found = explain(CommandFailed("terraform plan of platform failed", "Log: /log", (text,)), "dev")
    assert type(found) is kind
    assert expected in found.message
    assert found.hint.endswith("Log: /log")


def test_what_is_not_known_stays_as_terraform_said_it() -> None:
    said = CommandFailed("terraform plan of platform failed: Invalid CIDR", "", ("Invalid CIDR",))
    assert explain(said, "dev") is said


@pytest.mark.parametrize(
    ("actions", "extra", "expected"),
    [
        (["create"], {}, "create"),
        (["update"], {}, "update"),
        (["delete"], {}, "destroy"),
        (["delete", "create"], {}, "replace"),
        (["create", "delete"], {}, "replace"),
        (["forget"], {}, "forget"),
        (["no-op"], {"importing": {"id": "x"}}, "import"),
    ],
)
@pytest.mark.parametrize("kind", [*changes.DATA, "aws_subnet"])
def test_data_is_lost_where_what_holds_it_is_destroyed_or_replaced(
    actions: list[str], extra: dict[str, object], expected: str, kind: str
) -> None:
    item = {"address": f"{kind}.one", "mode": "managed", "type": kind, "change": {"actions": actions, **extra}}
    plan = changes.Plan.read(Path("x"), {"resource_changes": [item], "applyable": True})
    assert plan.changes[0].action == expected
    assert bool(plan.lost) == (expected in {"destroy", "replace"} and kind != "aws_subnet")
    assert ("DATA IS LOST" in plan.lines()[0]) == bool(plan.lost)


def test_nothing_to_do_is_an_empty_plan_and_a_changed_output_is_not() -> None:
    same = {"address": "a.b", "mode": "managed", "type": "a", "change": {"actions": ["no-op"]}}
    read = {"address": "data.a.b", "mode": "data", "type": "a", "change": {"actions": ["read"]}}
    assert changes.Plan.read(Path("x"), {"resource_changes": [same, read], "applyable": False}).empty
    outputs = {"resource_changes": [same], "output_changes": {"o": {"actions": ["create"]}}, "applyable": True}
    assert not changes.Plan.read(Path("x"), outputs).empty
