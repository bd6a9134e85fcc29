"""The alarms that look at a group and its load balancer, decided once a minute and told to the API.

CloudWatch is emulated without a mind: an alarm's state there is what it was last set to. An instance refresh looks at
states, so that somebody has to make them true; here that is done for the alarms whose metrics come from this group.
Each minute's points are kept, so that an alarm of longer periods sees the minutes in them. As CloudWatch does, every
alarm is looked at every minute, whatever its period.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from lyceum_lab.cloud.group import metrics
from lyceum_lab.scaling.metric_math import Point, evaluate
from lyceum_lab.scaling.policies import Metric

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
TOGETHER: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
}
KEPT_MINUTES = 24 * 60


@dataclass(frozen=True)
class Alarm:
    """An alarm as `DescribeAlarms` tells of it. `metrics` by id; `expression` is one of the ids, or says more."""

    name: str
    metrics: dict[str, Metric]
    expression: str
    compare: str
    threshold: float
    minutes: int  # of one period
    periods: int
    enough: int
    missing: str
    state: str

    @classmethod
    def read(cls, told: dict[str, Any]) -> Alarm | None:
        """None for one that nobody can decide here: of percentiles, of parts of a minute, of more than one result."""
        queries = told.get("Metrics") or [
            {"Id": "it", "ReturnData": True, "MetricStat": {
                "Metric": told, "Period": told.get("Period"), "Stat": told.get("Statistic")}}
        ]  # fmt: skip
        measured = {each["Id"]: each["MetricStat"] for each in queries if "MetricStat" in each}
        results = [each for each in queries if each.get("ReturnData", True)]
        periods = {stat["Period"] for stat in measured.values()}
        known = all(stat.get("Stat") in TOGETHER for stat in measured.values())
        if len(results) != 1 or len(periods) != 1 or not known or told["ComparisonOperator"] not in COMPARISONS:
            return None
        (period,) = periods
        if not period or period % metrics.PERIOD:
            return None
        return cls(
            name=str(told["AlarmName"]),
            metrics={name: _metric(stat) for name, stat in measured.items()},
            expression=str(results[0].get("Expression") or results[0]["Id"]),
            compare=str(told["ComparisonOperator"]),
            threshold=float(told["Threshold"]),
            minutes=int(period) // metrics.PERIOD,
            periods=int(told["EvaluationPeriods"]),
            enough=int(told.get("DatapointsToAlarm") or told["EvaluationPeriods"]),
            missing=str(told.get("TreatMissingData") or "missing"),
            state=str(told["StateValue"]),
        )

    def about(self, names: Collection[str]) -> bool:
        """Whether one of its metrics carries one of these names in a dimension."""
        return any(value in names for metric in self.metrics.values() for _, value in metric.dimensions)

    def points(self, minutes: dict[Metric, deque[Point]]) -> list[Point]:
        """Its last data points, the newest first."""
        found = []
        for number in range(self.periods):
            together = {
                name: _together(metric, list(minutes[metric])[::-1], number * self.minutes, self.minutes)
                for name, metric in self.metrics.items()
            }
            found.append(evaluate(self.expression, together))
        return found

    def decide(self, points: Sequence[Point]) -> str:
        """The state that these points make."""
        there = [point for point in points if point is not None]
        if not there and self.missing == "missing":
            return "INSUFFICIENT_DATA"
        if len(there) < len(points) and self.missing == "ignore":
            return self.state
        bad = sum(COMPARISONS[self.compare](point, self.threshold) for point in there)
        if self.missing == "breaching":
            bad += len(points) - len(there)
        return "ALARM" if bad >= self.enough else "OK"


def _metric(stat: dict[str, Any]) -> Metric:
    told = stat["Metric"]
    dimensions = tuple((each["Name"], each["Value"]) for each in told.get("Dimensions") or [])
    return Metric(told["Namespace"], told["MetricName"], dimensions, stat["Stat"])


def _together(metric: Metric, newest_first: Sequence[Point], skip: int, count: int) -> Point:
    values = [point for point in newest_first[skip : skip + count] if point is not None]
    return TOGETHER[metric.statistic](values) if values else None


class Bells:
    """The alarms about some names, and the minutes that were seen of their metrics."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch
        self._minutes: dict[Metric, deque[Point]] = {}

    def look(self, names: Collection[str], window: metrics.Window) -> list[str]:
        """Take this minute in and tell each changed state to the API. Returns what changed, in words."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
        told = [each for page in pages for each in page["MetricAlarms"]]
        found = [alarm for each in told if (alarm := Alarm.read(each)) and alarm.about(names)]
        wanted = {metric for alarm in found for metric in alarm.metrics.values()}
        for metric, point in metrics.measure(self._cloudwatch, wanted, window, {}).items():
            self._minutes.setdefault(metric, deque(maxlen=KEPT_MINUTES)).append(point)
        changed = []
        for alarm in found:
            points = alarm.points(self._minutes)
            if (state := alarm.decide(points)) != alarm.state:
                shown = ", ".join("missing" if point is None else f"{point:g}" for point in points[:5])
                reason = f"The last data points are {shown}; the threshold is {alarm.threshold:g}."
                self._cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue=state, StateReason=reason)
                changed.append(f"alarm {alarm.name}: {state}. {reason}")
        return changed
