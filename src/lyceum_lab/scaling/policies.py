"""Target tracking policies as `DescribePolicies` returns them, and the metrics that they read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lyceum_lab.scaling.metric_math import Point, evaluate

GROUP = "AutoScalingGroupName"


@dataclass(frozen=True)
class Metric:
    """One metric of CloudWatch, aggregated over a minute.

    `settled` metrics are Auto Scaling's predefined ones: servers that still warm up are left out of them. AWS cannot
    leave a server out of what that server itself reports.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Average"
    settled: bool = False


@dataclass(frozen=True)
class Query:
    """One line of a metric specification: a metric, or an expression over the ids of other lines."""

    id: str
    metric: Metric | None
    expression: str
    returned: bool


@dataclass(frozen=True)
class Policy:
    """A target, and how the value that is held against it comes about."""

    name: str
    target: float
    queries: tuple[Query, ...]
    scales_in: bool = True

    @property
    def metrics(self) -> set[Metric]:
        """What has to be measured for this policy."""
        return {query.metric for query in self.queries if query.metric}

    def value(self, measured: Mapping[Metric, Point]) -> Point:
        """The value that is held against the target, or None where a data point for it is missing."""
        points: dict[str, Point] = {}
        for query in self._in_order:
            points[query.id] = measured.get(query.metric) if query.metric else evaluate(query.expression, points)
        (returned,) = [query.id for query in self.queries if query.returned]
        return points[returned]

    @cached_property
    def _in_order(self) -> list[Query]:
        """Lines stand in any order; each is worked out after all that it names."""
        ordered: list[Query] = []
        while waiting := [query for query in self.queries if query not in ordered]:
            ready = [q for q in waiting if q.metric or not any(_names(other.id, q) for other in waiting)]
            if not ready:
                raise ValueError(f"{self.name}: expressions name each other in a circle")
            ordered += ready
        return ordered


def _names(identifier: str, query: Query) -> bool:
    return re.search(rf"\b{re.escape(identifier)}\b", query.expression) is not None


def read(autoscaling: Any, group: str) -> list[Policy]:
    """The target tracking policies of a group that are switched on, through a boto3 client."""
    found = autoscaling.describe_policies(AutoScalingGroupName=group, PolicyTypes=["TargetTrackingScaling"])
    return parse(found["ScalingPolicies"])


def parse(described: list[dict[str, Any]]) -> list[Policy]:
    """Policies out of the API's own form. Raises ValueError for a metric that is not understood."""
    return [_policy(each) for each in described if each.get("Enabled", True)]


def _policy(described: dict[str, Any]) -> Policy:
    tracking = described["TargetTrackingConfiguration"]
    if predefined := tracking.get("PredefinedMetricSpecification"):
        if predefined["PredefinedMetricType"] != "ASGAverageCPUUtilization":
            raise ValueError(f"{described['PolicyName']}: {predefined['PredefinedMetricType']} is not understood")
        group = ((GROUP, described["AutoScalingGroupName"]),)
        queries = [Query("cpu", Metric("AWS/EC2", "CPUUtilization", group, settled=True), "", returned=True)]
    else:
        customized = tracking["CustomizedMetricSpecification"]
        queries = [_query(line) for line in customized.get("Metrics") or [_plain(customized)]]
    return Policy(
        name=described["PolicyName"],
        target=float(tracking["TargetValue"]),
        queries=tuple(queries),
        scales_in=not tracking.get("DisableScaleIn", False),
    )


def _plain(customized: dict[str, Any]) -> dict[str, Any]:
    """A single metric without math, in the form of a line."""
    metric = {name: customized.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
    return {"Id": "m", "MetricStat": {"Metric": metric, "Stat": customized["Statistic"]}, "ReturnData": True}


def _query(line: dict[str, Any]) -> Query:
    metric = None
    if stat := line.get("MetricStat"):
        described = stat["Metric"]
        dimensions = sorted((each["Name"], each["Value"]) for each in described.get("Dimensions") or [])
        metric = Metric(described["Namespace"], described["MetricName"], tuple(dimensions), stat["Stat"])
    return Query(line["Id"], metric, line.get("Expression") or "", line.get("ReturnData", True))
