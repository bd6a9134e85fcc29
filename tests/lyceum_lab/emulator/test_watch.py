"""The emulator's CloudWatch acts when it is told the time: filters count, alarms ring and tell their topic."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator

GROUP, NAMESPACE = "/watch/application", "Watch"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def act(emulator: Emulator, **told: Any) -> dict[str, Any]:
    body = json.dumps({"region": "us-east-1", **told}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{emulator.endpoint}/_lyceum/alarms", body)) as answer:
        return dict(json.load(answer))


@pytest.fixture(scope="module")
def watched(start_emulator: Callable[..., Emulator]) -> Emulator:
    """A log with an error five minutes ago, a filter that counts it, an alarm on that, and who hears of it."""
    emulator = start_emulator()
    logs, sns = emulator.client("logs"), emulator.client("sns")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    transformation = {"metricName": "errors", "metricNamespace": NAMESPACE, "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=GROUP, filterName="errors", filterPattern='{ $.level = "ERROR" }',
        metricTransformations=[transformation],
    )  # fmt: skip
    policy = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish",
             "Resource": "*"},
        ]
    }  # fmt: skip
    topic = sns.create_topic(Name="watch", Attributes={"Policy": json.dumps(policy)})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="operator@lyceum.example")
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName="errors", Namespace=NAMESPACE, MetricName="errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=2, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )  # fmt: skip
    at = round((NOW - timedelta(minutes=5, seconds=30)).timestamp() * 1000)
    lines = ['{"level": "ERROR"}', '{"level": "INFO"}', "ERROR", '{"level": "ERROR", "x": 1}']
    logs.put_log_events(
        logGroupName=GROUP, logStreamName="s", logEvents=[{"timestamp": at, "message": line} for line in lines]
    )
    return emulator


def test_what_is_logged_rings_at_its_time_and_is_over_later(watched: Emulator) -> None:
    moments = [(NOW - timedelta(minutes=minutes)).isoformat() for minutes in (6, 5, 1)]
    told = act(watched, at=moments)
    assert [at["states"]["errors"] for at in told["states"]] == ["OK", "ALARM", "OK"]
    assert [(one["from"], one["to"]) for one in told["changes"]] == [
        ("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "OK"),
    ]  # fmt: skip
    (rung,) = told["deliveries"]
    assert (rung["alarm"], rung["state"], rung["told"], rung["refused"]) == (
        "errors", "ALARM", ["operator@lyceum.example"], "",
    )  # fmt: skip
    described = watched.client("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]
    assert described["StateValue"] == "OK"
    assert watched.page("alarms") == told["changes"]


@pytest.mark.parametrize(
    ("told", "says"),
    [({"at": ["yesterday"]}, "yesterday"), ({}, "at"), ({"at": [NOW.isoformat()], "names": ["other"]}, "other")],
)
def test_what_cannot_be_evaluated_is_refused(watched: Emulator, told: dict[str, Any], says: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        act(watched, **told)
    assert refused.value.code == 400
    assert says in json.load(refused.value)["error"]


def test_a_filter_that_is_not_known_fails_loudly(watched: Emulator) -> None:
    logs = watched.client("logs")
    logs.create_log_group(logGroupName="/watch/other")
    logs.create_log_stream(logGroupName="/watch/other", logStreamName="s")
    transformation = {"metricName": "x", "metricNamespace": NAMESPACE, "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="/watch/other", filterName="x", filterPattern="[a, b]", metricTransformations=[transformation]
    )
    event = {"timestamp": round(NOW.timestamp() * 1000), "message": "a b"}
    with pytest.raises(logs.exceptions.ClientError, match="not known here"):
        logs.put_log_events(logGroupName="/watch/other", logStreamName="s", logEvents=[event])


def test_what_was_counted_is_a_metric_as_any_other(watched: Emulator) -> None:
    """Moto compares the times of all metrics, of whatever kind: one that it cannot compare would break every reader."""
    cloudwatch = watched.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="Another", MetricData=[{"MetricName": "seen", "Value": 1, "Timestamp": NOW}])
    metric = {"Namespace": NAMESPACE, "MetricName": "errors"}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    found = cloudwatch.get_metric_data(
        StartTime=NOW - timedelta(minutes=10), EndTime=NOW, MetricDataQueries=[query]
    )["MetricDataResults"]  # fmt: skip
    assert sum(found[0]["Values"]) == 2
