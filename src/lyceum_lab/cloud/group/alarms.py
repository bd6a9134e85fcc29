"""The alarms that look at a group and its load balancer, decided once a minute and told to the API.

The emulated CloudWatch decides when it is told the time, and here a minute is a scaled one; an instance refresh looks
at states, so that somebody has to make them true. That is done here for the alarms whose metrics come from this group,
by the rules of lyceum_lab.cloudwatch. Each minute's points are kept, so that an alarm of longer periods sees the
minutes in them. As CloudWatch does, every alarm is looked at every minute, whatever its period.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lyceum_lab.cloud.group import metrics
from lyceum_lab.cloudwatch import alarms
from lyceum_lab.cloudwatch.alarms import Alarm, UnknownAlarm
from lyceum_lab.cloudwatch.series import PERCENTILE, Metric, Sample
from lyceum_lab.scaling import policies

# Of these a period's every statistic is made, but for percentiles.
STATISTICS = ("Minimum", "Maximum", "Sum", "SampleCount")
KEPT_MINUTES = 24 * 60
MINUTE = timedelta(seconds=metrics.PERIOD)


class Bells:
    """The alarms about some names, and the minutes that were seen of their metrics."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch
        self._minutes: dict[Metric, deque[Sample]] = defaultdict(lambda: deque(maxlen=KEPT_MINUTES))
        # The time of the alarms: a minute goes by at each look, however long it takes.
        self._now = datetime.fromtimestamp(0, UTC)

    def look(self, names: Collection[str], window: metrics.Window) -> list[str]:
        """Take this minute in and tell each changed state to the API. Returns what changed, in words."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
        told = [each for page in pages for each in page["MetricAlarms"]]
        found = [(alarm, str(each["StateValue"])) for each in told if (alarm := read(each)) and about(alarm, names)]
        self._take_in({metric for alarm, _ in found for metric in _metrics(alarm)}, window)
        changed = []
        for alarm, state in found:
            verdict = alarms.evaluate(alarm, self._samples, at=self._now, state=state)
            if verdict.state != state:
                shown = ", ".join("missing" if point is None else f"{point:g}" for point in verdict.points[::-1][:5])
                reason = f"The last data points are {shown}; the threshold is {alarm.threshold:g}."
                self._cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue=verdict.state, StateReason=reason)
                changed.append(f"alarm {alarm.name}: {verdict.state}. {reason}")
        return changed

    def _take_in(self, wanted: Iterable[Metric], window: metrics.Window) -> None:
        asked = {
            (metric, name): policies.Metric(metric.namespace, metric.name, tuple(sorted(metric.dimensions)), name)
            for metric in wanted
            for name in STATISTICS
        }
        points = metrics.measure(self._cloudwatch, asked.values(), window, {})
        for metric in {metric for metric, _ in asked}:
            least, most, total, count = (points[asked[metric, name]] for name in STATISTICS)
            if least is not None and most is not None and total is not None and count:
                self._minutes[metric].append(Sample(self._now, least, most, total, count))
        self._now += MINUTE

    def _samples(self, metric: Metric, start: datetime, end: datetime) -> list[Sample]:
        return [sample for sample in self._minutes[metric] if start <= sample.at < end]


def read(told: Mapping[str, Any]) -> Alarm | None:
    """An alarm as `DescribeAlarms` tells of it; None for one that minutes cannot decide, as of a percentile."""
    try:
        alarm = alarms.parse(told)
    except UnknownAlarm:
        return None
    return None if any(PERCENTILE.fullmatch(query.stat) for query in alarm.queries) else alarm


def about(alarm: Alarm, names: Collection[str]) -> bool:
    """Whether one of its metrics carries one of these names in a dimension."""
    return any(value in names for metric in _metrics(alarm) for _, value in metric.dimensions)


def _metrics(alarm: Alarm) -> Iterable[Metric]:
    return (query.metric for query in alarm.queries if query.metric)
