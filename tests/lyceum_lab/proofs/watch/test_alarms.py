"""Each way in which an alarm could be wrong is noticed by the proof that lets it ring."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.lyceum_lab.proofs.watch.conftest import Account

from lyceum_lab import paths
from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.watch import alarms, expected
from lyceum_lab.proofs.watch.published import BY_THE_AGENT

pytestmark = pytest.mark.alarms
TOPIC = "arn:aws:sns:us-east-1:123456789012:"
ELSE = [{"Name": "TargetGroup", "Value": "targetgroup/x/1"}]


def ring(account: Account, *names: str) -> int:
    found = [one for one in expected.of("prod") if one.name in names]
    assert {one.name for one in found} == set(names)
    return sum(
        alarms.rings(account.session, "prod", one, account.places, account.topic("lyceum-prod-"), until=until)
        for one, until in alarms.in_turn(found)
    )


def complete(account: Account) -> str:
    return alarms.complete(account.session, ("prod",))


def test_as_it_is_applied_every_alarm_rings_and_recovers(account: Account) -> None:
    assert "36 alarms, 36 pages" in complete(account)
    assert ring(account, *(one.name for one in expected.of("prod"))) > 800


Break = Callable[[Account], Any]


def change(name: str, **fields: Any) -> Break:
    return lambda account: account.put(f"lyceum-prod-{name}", **fields)


def math(name: str, old: str, new: str) -> Break:
    """Another expression, or another metric of one."""

    def swap(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swap(one) for key, one in value.items()}
        if isinstance(value, list):
            return [swap(one) for one in value]
        return value.replace(old, new) if isinstance(value, str) else value

    def put(account: Account) -> None:
        metrics = account.alarms[f"lyceum-prod-{name}"]["Metrics"]
        assert swap(metrics) != metrics
        account.put(f"lyceum-prod-{name}", Metrics=swap(metrics))

    return put


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("server-memory", change("server-memory", Threshold=91.0)),
        ("server-memory", change("server-memory", Threshold=89.0)),
        ("server-memory", change("server-memory", Statistic="Average")),
        ("server-memory", change("server-memory", EvaluationPeriods=4, DatapointsToAlarm=4)),
        ("server-memory", change("server-memory", EvaluationPeriods=2, DatapointsToAlarm=2)),
        ("server-memory", change("server-memory", Period=60)),
        ("server-memory", change("server-memory", TreatMissingData="breaching")),
        ("release-memory", change("release-memory", Threshold=84.0)),
        ("release-memory", change("release-memory", AlarmActions=[f"{TOPIC}lyceum-prod-alarms"])),
        ("release-errors", math("release-errors", ">= 5", ">= 4")),
        ("release-errors", math("release-errors", "FILL(refused, 0)", "0")),
        ("server-memory", change("server-memory", TreatMissingData="missing")),
        ("server-memory", change("server-memory", TreatMissingData="ignore")),
        ("server-memory", change("server-memory", MetricName="MemoryUtilization")),
        ("server-memory", change("server-memory", Namespace="CWAgent")),
        ("server-memory", change("server-memory", ComparisonOperator="LessThanThreshold")),
        ("server-memory", change("server-memory", ComparisonOperator="GreaterThanThreshold")),
        ("server-memory", change("server-memory", Dimensions=[{"Name": "InstanceId", "Value": "i-0"}])),
        ("server-memory", change("server-memory", ActionsEnabled=False)),
        ("server-memory", change("server-memory", AlarmActions=[])),
        ("server-memory", change("server-memory", OKActions=[f"{TOPIC}lyceum-prod-alarms"])),
        ("server-memory", change("server-memory", AlarmActions=[f"{TOPIC}elsewhere"])),
        ("server-memory", change("server-memory", AlarmActions=[f"{TOPIC}lyceum-audit-alarms"])),
        ("database-storage", change("database-storage", OKActions=[])),
        ("balancer-errors", change("balancer-errors", DatapointsToAlarm=3)),
        ("balancer-errors", change("balancer-errors", DatapointsToAlarm=1)),
        ("no-healthy-server", change("no-healthy-server", TreatMissingData="notBreaching")),
        ("no-healthy-server", change("no-healthy-server", Dimensions=ELSE)),
        ("purge-missing", change("purge-missing", TreatMissingData="ignore")),
        ("pages-fast-burn", change("pages-fast-burn", DatapointsToAlarm=4)),
        ("pages-fast-burn", change("pages-fast-burn", DatapointsToAlarm=6)),
        ("pages-fast-burn", change("pages-fast-burn", EvaluationPeriods=9)),
        ("pages-fast-burn", change("pages-fast-burn", EvaluationPeriods=60)),
        ("pages-fast-burn", change("pages-fast-burn", MetricName="pages-asked")),
        ("pages-fast-burn", change("pages-fast-burn", OKActions=[])),
        ("pages-slow-burn", change("pages-slow-burn", Threshold=20.0)),
        ("pages-slow-burn", change("pages-slow-burn", Threshold=22.0)),
        ("pages-slow-burn", math("pages-slow-burn", "asked - answered", "1440 - answered")),
        ("progress-fast-burn", change("progress-fast-burn", Threshold=8.7)),
        ("progress-fast-burn", change("progress-fast-burn", Threshold=8.6)),
        ("progress-fast-burn", change("progress-fast-burn", EvaluationPeriods=1, DatapointsToAlarm=1)),
        ("progress-fast-burn", math("progress-fast-burn", ">= 20", ">= 19")),
        ("progress-fast-burn", math("progress-fast-burn", "FILL(kept, 0)", "kept")),
        ("progress-slow-burn", change("progress-slow-burn", Threshold=0.2801)),
        ("progress-slow-burn", change("progress-slow-burn", Threshold=0.2799)),
        ("canary-missing", math("canary-missing", "runs - FILL(errors, 0)", "runs + 0 * FILL(errors, 0)")),
        ("canary-missing", change("canary-missing", TreatMissingData="notBreaching")),
        ("certificate-expiry", change("certificate-expiry", TreatMissingData="notBreaching")),
        ("group-at-max", change("group-at-max", Threshold=3.0)),
        ("target-errors", math("target-errors", ">= 20", ">= 10")),
        ("target-errors", math("target-errors", "HTTPCode_Target_5XX_Count", "HTTPCode_Target_4XX_Count")),
        ("latency", math("latency", "p95", "p99")),
        ("latency", math("latency", "IF(requests >= 20, latency, 0)", "latency")),
        ("progress-errors", math("progress-errors", "UpdateItem", "PutItem")),
        ("backup-failed", math("backup-failed", " + FILL(expired, 0)", "")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_alarm_is_noticed(account: Account, name: str, broken: Break) -> None:
    broken(account)
    with pytest.raises(Broken, match=f"lyceum-prod-{name}"):
        ring(account, name)


@pytest.mark.parametrize("level", ['"FATAL"', '"ERROR"'])
def test_a_filter_that_counts_something_else_is_noticed(account: Account, level: str) -> None:
    # Of two kinds of errors one would not be counted, or neither.
    account.put_filter("lyceum-prod-application-errors", filterPattern=f"{{ $.level = {level} }}")
    with pytest.raises(Broken, match="application-errors is OK and not ALARM"):
        ring(account, "application-errors")


@pytest.mark.parametrize(
    ("outcome", "pattern"),
    [
        ("lost", '{ ($.route = "/api/v1/progress/reports") && ($.status >= 500) }'),
        ("lost", '{ ($.route = "/api/v1/progress/reports") && ($.status >= 400) }'),
        ("lost", '{ ($.route = "/api/v1/progress/*") && (($.status = 400) || ($.status >= 500)) }'),
        ("lost", "{ ($.status = 400) || ($.status >= 500) }"),
        ("kept", '{ $.route = "/api/v1/progress/reports" }'),
        ("kept", '{ ($.route = "/progress/reports") && ($.status = 200) }'),
    ],
)
def test_a_filter_that_counts_other_reports_is_noticed(account: Account, outcome: str, pattern: str) -> None:
    account.put_filter(f"lyceum-prod-progress-{outcome}", filterPattern=pattern)
    with pytest.raises(Broken, match="lyceum-prod-progress-fast-burn is"):
        ring(account, "progress-fast-burn")


def test_a_blip_wakes_nobody(account: Account) -> None:
    """Four failed minutes on end, the next four an hour later; five minutes in which all reports are lost."""
    client, now = account.session.client("cloudwatch"), datetime.now(UTC).replace(second=0, microsecond=0)
    began = now - timedelta(hours=3)
    failed = {*range(30, 34), *range(94, 98)}
    minutes = [(began + timedelta(minutes=minute), float(minute not in failed)) for minute in range(180)]
    data = [{"MetricName": "pages-answered", "Timestamp": at, "Value": value} for at, value in minutes]
    for minute in range(0, 180, 5):
        name = "progress-reports-lost" if minute == 60 else "progress-reports-kept"
        data.append({"MetricName": name, "Timestamp": began + timedelta(minutes=minute), "Value": 900.0})
    client.put_metric_data(Namespace="Lyceum/prod", MetricData=data)
    names = ["lyceum-prod-pages-fast-burn", "lyceum-prod-progress-fast-burn"]
    moments = [began + timedelta(minutes=minute) for minute in range(5, 180, 5)]
    woken = alarms.act("", moments, names)["deliveries"]
    assert [one["alarm"] for one in woken if one["state"] == "ALARM"] == []
    # One more minute beside the first four, and five minutes more, would have.
    more = [
        {"MetricName": "pages-answered", "Timestamp": began + timedelta(minutes=36), "Value": 0.0},
        {"MetricName": "progress-reports-lost", "Timestamp": began + timedelta(minutes=65), "Value": 900.0},
    ]
    client.put_metric_data(Namespace="Lyceum/prod", MetricData=more)
    woken = alarms.act("", moments, names)["deliveries"]
    assert [one["alarm"] for one in woken if one["state"] == "ALARM"] == names


def test_a_pattern_that_is_not_known_is_refused_and_not_unmatched(account: Account) -> None:
    account.put_filter("lyceum-prod-application-errors", filterPattern="[level=ERROR, ...]")
    with pytest.raises(ValueError, match="not known here"):
        ring(account, "application-errors")


@pytest.mark.parametrize("part", ["policy", "key"])
def test_a_topic_or_a_key_that_does_not_let_cloudwatch_in_is_noticed(account: Account, part: str) -> None:
    told = deepcopy(account.told["topics"]["lyceum-prod-"])
    told[part]["Statement"] = [
        one for one in told[part]["Statement"] if "cloudwatch.amazonaws.com" not in str(one["Principal"])
    ]
    account.session.client("sns").delete_topic(TopicArn=account.topic("lyceum-prod-"))
    account.make_topic("lyceum-prod-", told)
    with pytest.raises(Broken, match=r"is not heard: .*policy"):
        ring(account, "server-disk")


def test_a_topic_that_nobody_hears_is_noticed(account: Account) -> None:
    account.session.client("sns").delete_topic(TopicArn=account.topic("lyceum-prod-"))
    account.make_topic("lyceum-prod-", account.told["topics"]["lyceum-prod-"] | {"heard": []})
    with pytest.raises(Broken, match="nobody subscribes"):
        ring(account, "server-disk")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (change("latency", AlarmName="lyceum-prod-slowness"), "slowness is not known here"),
        (
            lambda account: account.session.client("cloudwatch").delete_alarms(AlarmNames=["lyceum-prod-latency"]),
            "latency is not there",
        ),
        (
            change("server-disk", AlarmDescription="look: Full. See docs/runbook/disk-is-full.md."),
            "names no page of the runbook",
        ),
        (
            change("server-disk", AlarmDescription="wake: Full. See docs/runbook/server-disk.md."),
            "not told to be one to look",
        ),
        (change("server-disk", MetricName="disk_free"), "nobody publishes Lyceum/prod disk_free"),
        (
            change("database-cpu", Dimensions=[{"Name": "DBClusterIdentifier", "Value": "x"}]),
            "nobody publishes AWS/RDS CPUUtilization of DBClusterIdentifier",
        ),
        (math("progress-errors", "Operation", "TableClass"), "nobody publishes AWS/DynamoDB SystemErrors"),
    ],
)
def test_what_the_account_has_is_held_against_what_is_known(account: Account, broken: Break, says: str) -> None:
    broken(account)
    with pytest.raises(Broken, match=says):
        complete(account)


def test_the_agent_publishes_what_the_table_says() -> None:
    """Its configuration adds each metric up by the group alone."""
    told = json.loads((paths.CHECKOUT / "instance" / "cloudwatch-agent.json").read_text())["metrics"]
    names = {one["rename"] for kind in told["metrics_collected"].values() for one in kind["measurement"]}
    assert names == set(BY_THE_AGENT)
    assert [tuple(told["aggregation_dimensions"][0])] == [one for (one,) in set(BY_THE_AGENT.values())]
