"""Each way in which the audit could miss an attack, or ring for ordinary work, is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.lyceum_lab.proofs.watch.conftest import Account

from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.watch import audit, events
from lyceum_lab.proofs.watch.events import CHANGES, CLI, DEPLOYED, TERRAFORM
from lyceum_lab.proofs.watch.expected import OF_THE_ACCOUNT

pytestmark = pytest.mark.audit


def recorded(agent: str = TERRAFORM, status: int = 200) -> list[str]:
    """An apply, as the emulator records one: each change that the audit watches, and many others."""
    calls = [(CHANGES[alarm][0], name) for alarm in DEPLOYED for name in CHANGES[alarm][1]]
    calls += [("rds", f"CreateThing{number}") for number in range(40)] + [("ec2", "DescribeVpcs"), ("s3", "PutObject")]
    told = {"status": status, "agent": agent, "iam": [{"by": "lyceum-deployer-x"}]}
    return [
        json.dumps({"service": service, "operation": name, **told})
        for service, name in calls
    ]  # fmt: skip


def test_as_it_is_applied_work_is_quiet_and_each_attack_rings(account: Account) -> None:
    assert "none of 8 alarms rang" in audit.normal(account.session, recorded())
    assert audit.raised(account.session).startswith("90 attacks")


def test_the_same_work_by_hand_is_no_ordinary_day(account: Account) -> None:
    with pytest.raises(Broken, match=r"iam-changes.*security-group-changes"):
        audit.normal(account.session, recorded(agent=CLI))


def test_a_deployer_that_is_refused_rings(account: Account) -> None:
    with pytest.raises(Broken, match="unauthorized-calls"):
        audit.normal(account.session, recorded(status=403))


def test_of_an_apply_that_was_not_recorded_nothing_is_claimed(account: Account) -> None:
    with pytest.raises(Broken, match="only 0 kinds of changes"):
        audit.normal(account.session, [])


Break = Callable[[Account], Any]


def pattern(alarm: str, old: str, new: str) -> Break:
    def put(account: Account) -> None:
        name = f"lyceum-audit-{alarm}"
        told = account.filters[name]["filterPattern"]
        assert old in told
        account.put_filter(name, filterPattern=told.replace(old, new))

    return put


def alarm(name: str, **fields: Any) -> Break:
    return lambda account: account.put(f"lyceum-audit-{name}", **fields)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (pattern("unauthorized-calls", "*UnauthorizedOperation", "UnauthorizedOperation"), "instances raises nothing"),
        (pattern("unauthorized-calls", "AccessDenied*", "AccessDenied"), "another's secret raises nothing"),
        (pattern("root-use", '"Root"', '"root"'), "root signs in raises nothing"),
        (pattern("sign-in-failures", "||($.responseElements.ConsoleLogin=Failure)", ""), "a name is guessed raises"),
        (pattern("iam-changes", "($.eventName=Put*)||", ""), "stolen key: PutRolePolicy raises nothing"),
        (pattern("iam-changes", "iam.amazonaws.com", "sts.amazonaws.com"), "stolen key: .* raises nothing"),
        # Whoever holds the deployer's session, or a name like the deployer's.
        (pattern("iam-changes", '($.userAgent!="*terraform-provider-aws*")||', ""), "in other hands: .* raises no"),
        (pattern("iam-changes", "($.userAgent NOT EXISTS)||", ""), "not documented"),
        (pattern("bucket-policy-changes", "sts::123456789012:", "sts::*:"), "another account's role .* raises nothing"),
        (pattern("iam-changes", "lyceum-deployer/*", "lyceum-deployer*"), "another role: .* raises nothing"),
        (pattern("iam-changes", "lyceum-pipeline-apply/*", "lyceum-pipeline-*"), "applies nothing: .* raises nothing"),
        (pattern("trail-changes", "||($.eventName=StopLogging)", ""), "StopLogging raises nothing"),
        (alarm("root-use", Threshold=2.0), "root signs in raises nothing"),
        (alarm("root-use", Period=3600), "is not over half an hour after"),
        (alarm("root-use", TreatMissingData="ignore"), "is not over half an hour after"),
        (alarm("root-use", AlarmActions=["arn:aws:sns:us-east-1:123456789012:elsewhere"]), "root-use is not heard"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_audit_is_noticed(account: Account, broken: Break, says: str) -> None:
    broken(account)
    with pytest.raises((Broken, ValueError), match=says):
        audit.raised(account.session)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (pattern("root-use", '&&($.eventType!="AwsServiceEvent")', ""), "root-use .*AccountUpdated"),
        (pattern("root-use", "&&($.userIdentity.invokedBy NOT EXISTS)", ""), "root-use"),
        (pattern("unauthorized-calls", '&&($.eventName!="HeadBucket")', ""), "unauthorized-calls .*HeadBucket"),
        (pattern("iam-changes", "lyceum-pipeline-apply", "lyceum-pipeline-other"), "iam-changes .*PutRolePolicy"),
        (pattern("iam-changes", "$.eventSource=iam.amazonaws.com", "$.eventSource=*"), "iam-changes"),
    ],
)
def test_what_would_ring_every_day_is_noticed(account: Account, broken: Break, says: str) -> None:
    broken(account)
    with pytest.raises(Broken, match=says):
        audit.normal(account.session, recorded())


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("IsMultiRegionTrail", False, "leaves out"),
        ("IncludeGlobalServiceEvents", False, "leaves out"),
        ("EnableLogFileValidation", False, "leaves out"),
    ],
)
def test_a_trail_that_does_not_tell_all_is_noticed(account: Account, field: str, value: bool, says: str) -> None:
    account.session.client("cloudtrail").update_trail(Name="lyceum-audit", **{field: value})
    with pytest.raises(Broken, match=says):
        audit.raised(account.session)


def test_a_stopped_trail_is_noticed(account: Account) -> None:
    account.session.client("cloudtrail").stop_logging(Name="lyceum-audit")
    with pytest.raises(Broken, match="stopped"):
        audit.raised(account.session)


def test_each_alarm_has_its_attack() -> None:
    assert {name for one in events.attacks() for name in one.raises} == set(OF_THE_ACCOUNT)
