"""A minute's data points: published as EC2, Auto Scaling and the load balancer do, read as target tracking does.

A minute is a scaled one, and begins at a multiple of its length. What is read of it is read after its end, when
whoever publishes has had time to: AWS's own minute comes no earlier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lyceum_lab.cloud.group.core import Group, Life, Machine, serves
from lyceum_lab.scaling.metric_math import Point
from lyceum_lab.scaling.policies import GROUP, Metric

PERIOD = 60  # seconds of AWS: the point of a whole window, however short the scale makes it


@dataclass(frozen=True)
class Window:
    """One minute, in seconds since 1970."""

    begin: float
    end: float

    @classmethod
    def of(cls, moment: float, scale: float) -> Window:
        """The minute that `moment` falls into."""
        length = PERIOD / scale
        begin = moment // length * length
        return cls(begin, begin + length)

    @property
    def middle(self) -> datetime:
        return datetime.fromtimestamp((self.begin + self.end) / 2, UTC)


def cpu_percent(before: float | None, after: float | None, seconds: float) -> Point:
    """Use of one core between two readings of the CPU time used; None where a reading is missing."""
    if before is None or after is None or seconds <= 0 or after < before:
        return None
    return min(100.0, 100 * (after - before) / seconds)


def of_servers(group: str, cpu: Mapping[str, Point], at: datetime) -> list[dict[str, Any]]:
    """`CPUUtilization` of each instance, by itself and for its group."""
    data = []
    for instance, percent in cpu.items():
        if percent is not None:
            for name, value in (("InstanceId", instance), (GROUP, group)):
                data.append(_datum("CPUUtilization", percent, {name: value}, at, "Percent"))
    return data


def of_group(group: Group, machines: Iterable[Machine], enabled: frozenset[str], at: datetime) -> list[dict[str, Any]]:
    """The group's own metrics, as far as they are enabled."""
    lives = [machine.life for machine in machines]
    values = {
        "GroupMinSize": group.least,
        "GroupMaxSize": group.most,
        "GroupDesiredCapacity": group.desired,
        "GroupInServiceInstances": lives.count(Life.IN_SERVICE),
        "GroupPendingInstances": lives.count(Life.PENDING),
        "GroupTerminatingInstances": lives.count(Life.TERMINATING),
        "GroupTotalInstances": len(lives),
    }
    return [
        _datum(name, value, {GROUP: group.name}, at, "None") for name, value in values.items() if name in enabled
    ]  # fmt: skip


def of_targets(
    group: Group, machines: Iterable[Machine], dimensions: Mapping[str, str], requests: int, errors: int, at: datetime
) -> list[dict[str, Any]]:
    """What the load balancer counts; a count of errors is only reported when there are any."""
    states = [machine.target for machine in machines if machine.life is Life.IN_SERVICE]
    data = [
        _datum("HealthyHostCount", states.count("healthy"), dimensions, at, "Count"),
        _datum("UnHealthyHostCount", states.count("unhealthy"), dimensions, at, "Count"),
    ]
    if requests:
        data.append(_datum("RequestCount", requests, dimensions, at, "Count"))
    if errors:
        data.append(_datum("HTTPCode_Target_5XX_Count", errors, dimensions, at, "Count"))
    return data


def of_balancer(balancer: str, errors: int, at: datetime) -> list[dict[str, Any]]:
    """What it answered in a server's place; reported only when there is any."""
    return [_datum("HTTPCode_ELB_5XX_Count", errors, {"LoadBalancer": balancer}, at, "Count")] if errors else []


def publish(cloudwatch: Any, namespace: str, data: list[dict[str, Any]]) -> None:
    """Hand data points over, if there are any."""
    if data:
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def measure(
    cloudwatch: Any, metrics: Collection[Metric], window: Window, settled: Mapping[Metric, Point]
) -> dict[Metric, Point]:
    """Each metric's data point in the window. Those in `settled` are known: CloudWatch cannot leave servers out."""
    found: dict[Metric, Point] = {metric: settled.get(metric) for metric in metrics if metric.settled}
    asked = {f"m{number}": metric for number, metric in enumerate(m for m in metrics if not m.settled)}
    if not asked:
        return found
    answer = cloudwatch.get_metric_data(
        StartTime=datetime.fromtimestamp(window.begin, UTC),
        EndTime=datetime.fromtimestamp(window.end, UTC),
        MetricDataQueries=[_query(name, metric) for name, metric in asked.items()],
    )["MetricDataResults"]
    values = {each["Id"]: each["Values"] for each in answer}
    return found | {metric: values[name][0] if values.get(name) else None for name, metric in asked.items()}


def _query(name: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions]
    described = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": described, "Period": PERIOD, "Stat": metric.statistic}}


def mean_cpu(cpu: Mapping[str, Point], machines: Iterable[Machine], group: Group, warm: Iterable[str]) -> Point:
    """The predefined metric: the mean over the servers that are warm."""
    counted = set(warm)
    values = [
        value
        for machine in machines
        if machine.id in counted and serves(machine, group) and (value := cpu.get(machine.id)) is not None
    ]
    return sum(values) / len(values) if values else None


def _datum(name: str, value: float, dimensions: Mapping[str, str], at: datetime, unit: str) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Value": float(value),
        "Unit": unit,
        "Timestamp": at,
        "Dimensions": [{"Name": key, "Value": each} for key, each in dimensions.items()],
    }
