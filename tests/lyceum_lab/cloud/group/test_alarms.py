"""What CloudWatch makes of points, and that the alarms of a release decide in time."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lyceum_lab import paths
from lyceum_lab.cloud.group.alarms import Bells, read
from lyceum_lab.cloud.group.metrics import Window
from lyceum_ops.releases.release import BAKE_SECONDS
from lyceum_ops.releases.servers import WATCHED

TARGET = [{"Name": "TargetGroup", "Value": "targetgroup/t/1"}]


def told(**more: Any) -> dict[str, Any]:
    """An alarm on one metric, as DescribeAlarms tells."""
    return {
        "AlarmName": "it", "AlarmArn": "arn:it", "Namespace": "AWS/ApplicationELB",
        "MetricName": "UnHealthyHostCount", "Dimensions": TARGET,
        "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 1.0, "StateValue": "OK",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "points", "state"),
    [
        ({}, [1, 1, 1], "ALARM"),
        ({}, [1, 1, 0], "OK"),
        ({}, [1, 1, None], "OK"),
        ({"TreatMissingData": "breaching"}, [1, None, None], "ALARM"),
        ({"TreatMissingData": "missing"}, [None, None, None], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [None, None, None], "ALARM"),
        ({"DatapointsToAlarm": 2}, [0, 1, 1], "ALARM"),
        ({"DatapointsToAlarm": 2}, [0, 0, 1], "OK"),
        ({"ComparisonOperator": "LessThanThreshold"}, [0, 0, 0], "ALARM"),
    ],
)
def test_a_state(more: dict[str, Any], points: list[float | None], state: str) -> None:
    """`points`: the newest first."""
    minutes = [{} if point is None else {"UnHealthyHostCount": point} for point in points[::-1]]
    assert states(told(**more), minutes, ("targetgroup/t/1",))[-1] == state


@pytest.mark.parametrize(
    "more",
    [
        {"Statistic": None, "ExtendedStatistic": "p95"},
        {"Period": 10},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"Metrics": [{"Id": "all", "Expression": "SELECT 1", "ReturnData": True}]},
    ],
)
def test_what_cannot_be_decided_here_is_left_alone(more: dict[str, Any]) -> None:
    assert read(told(**more)) is None


class Cloud:
    """CloudWatch for one alarm: each minute has one point of each metric."""

    def __init__(self, alarm: dict[str, Any]) -> None:
        self.alarm, self.minute = alarm, dict[str, float]()

    def get_paginator(self, _: str) -> Cloud:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"MetricAlarms": [self.alarm]}]

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        stats = {each["Id"]: each["MetricStat"] for each in asked["MetricDataQueries"]}
        return {"MetricDataResults": [{"Id": name, "Values": self.values(stat)} for name, stat in stats.items()]}

    def values(self, stat: dict[str, Any]) -> list[float]:
        point = self.minute.get(stat["Metric"]["MetricName"])
        return [] if point is None else [1.0 if stat["Stat"] == "SampleCount" else point]

    def set_alarm_state(self, **wanted: Any) -> None:
        self.alarm["StateValue"] = wanted["StateValue"]


def states(told: dict[str, Any], minutes: list[dict[str, float]], names: tuple[str, ...]) -> list[str]:
    """The alarm's state after each minute."""
    cloud = Cloud(told)
    bells, found = Bells(cloud), []
    for cloud.minute in minutes:
        bells.look(names, Window(0, 60))
        found.append(str(told["StateValue"]))
    return found


def test_five_minutes_are_added_up_and_looked_at_every_minute() -> None:
    five = told(MetricName="Errors", Statistic="Sum", Period=300, EvaluationPeriods=1, Threshold=10.0)
    errors = [{"Errors": 2.0}] * 4 + [{"Errors": 3.0}, {}, {"Errors": 1.0}]
    assert states(five, errors, ("targetgroup/t/1",)) == ["OK"] * 4 + ["ALARM", "OK", "OK"]
    assert states({**five, "StateValue": "OK"}, errors, ("another",)) == ["OK"] * 7, "of others nothing is known"


def deployed(name: str) -> dict[str, str]:
    """What infra/modules/alarms/table.tf says of an alarm, line by line."""
    text = (paths.CHECKOUT / "infra" / "modules" / "alarms" / "table.tf").read_text()
    entry = text.partition(f"    {name} = {{\n")[2].partition("\n    }\n")[0]
    return dict(re.findall(r"^ {6}(\w+) += (.*)$", entry, re.MULTILINE))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        # Half of what visitors ask, from the bad one of two servers.
        ([{"RequestCount": 300.0, "HTTPCode_Target_5XX_Count": 150.0}], "ALARM"),
        ([{"RequestCount": 300.0, "HTTPCode_ELB_5XX_Count": 15.0}], "ALARM"),
        ([{"RequestCount": 300.0, "HTTPCode_Target_5XX_Count": 14.0}], "OK"),
        ([{"RequestCount": 4.0, "HTTPCode_Target_5XX_Count": 4.0}], "OK"),
        ([{"RequestCount": 300.0}, {}], "OK"),
    ],
)
def test_the_alarm_on_a_releases_errors(minutes: list[dict[str, float]], expected: str) -> None:
    expression = deployed("release-errors")["expression"].strip('"')
    metrics = {"answered": "HTTPCode_Target_5XX_Count", "refused": "HTTPCode_ELB_5XX_Count", "requests": "RequestCount"}
    queries = [
        {"Id": name, "ReturnData": False, "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
            "Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": TARGET}}}
        for name, metric in metrics.items()
    ]  # fmt: skip
    watched = {"Id": "watched", "Expression": expression, "ReturnData": True}
    whole = told(Metrics=[*queries, watched], EvaluationPeriods=1, Threshold=5.0)
    assert states(whole, minutes, ("targetgroup/t/1",))[-1] == expected


def test_a_release_is_watched_for_as_long_as_its_alarms_may_take() -> None:
    for name in ("release-errors", "release-memory"):
        assert name in WATCHED
        told = deployed(name)
        period, periods = int(told["period"]), int(told["periods"])
        # One that has begun, those that have to be bad, and one until it is told.
        assert period * (periods + 2) <= BAKE_SECONDS, name
