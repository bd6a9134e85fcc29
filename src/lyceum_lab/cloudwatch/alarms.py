"""Alarms as DescribeAlarms returns them, and the state of one at a moment.

The rules, and where AWS states them (Amazon CloudWatch User Guide):

- "Alarm evaluation": so many of the last periods must be breaching. The window slides: periods are counted back from
  the moment of evaluation.
- "Configuring how CloudWatch alarms treat missing data": more points are looked at than are judged, the evaluation
  range; the latest real ones count, and only what is then lacking is filled in. How many more AWS does not say. Its
  tables show 5 for 3, so 2 more it is here.
- "Percentile-based CloudWatch alarms and low data samples": with `ignore` the state stays while a period has fewer
  samples than tell something.
- "Using metric math": lyceum_lab.scaling.metric_math.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lyceum_lab.cloudwatch.series import PERCENTILE, Metric, Sample, significant, statistic
from lyceum_lab.scaling.metric_math import evaluate as calculate

OK, ALARM, NO_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
# Points of the evaluation range beyond those that are judged.
BEYOND = 2
DAY = 86_400
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")

# The samples of a metric from a moment on and before another.
Read = Callable[[Metric, datetime, datetime], Iterable[Sample]]


class UnknownAlarm(ValueError):
    """An alarm of a kind that is not known here, or that CloudWatch would not take."""


@dataclass(frozen=True)
class Query:
    """A metric with its statistic, or an expression over the ids of others."""

    id: str
    metric: Metric | None = None
    stat: str = ""
    expression: str = ""
    returned: bool = True


@dataclass(frozen=True)
class Alarm:
    """What is watched, when it is bad, and who is told."""

    name: str
    arn: str
    queries: tuple[Query, ...]
    period: int
    comparison: str
    threshold: float
    of: int
    needs: int
    missing: str = "missing"
    ignores_few: bool = False
    enabled: bool = True
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """The state, and the points that led to it: the oldest first, None where one is missing."""

    state: str
    points: tuple[float | None, ...]


def parse(described: Mapping[str, Any]) -> Alarm:
    """An alarm out of the API's own form. Raises UnknownAlarm."""
    name = str(described["AlarmName"])
    metrics = described.get("Metrics") or []
    queries = tuple(_query(name, line) for line in metrics) if metrics else (_plain(name, described),)
    periods = {int(line["MetricStat"]["Period"]) for line in metrics if line.get("MetricStat")}
    if not metrics:
        periods = {int(described["Period"])}
    if len(periods) != 1:
        raise UnknownAlarm(f"{name}: its metrics have different periods, {sorted(periods)}")
    if sum(query.returned for query in queries) != 1:
        raise UnknownAlarm(f"{name}: exactly one of its queries has to return data")
    of = int(described["EvaluationPeriods"])
    alarm = Alarm(
        name=name,
        arn=str(described["AlarmArn"]),
        queries=queries,
        period=periods.pop(),
        comparison=str(described["ComparisonOperator"]),
        threshold=float(described["Threshold"]),
        of=of,
        needs=int(described.get("DatapointsToAlarm") or of),
        missing=str(described.get("TreatMissingData") or "missing"),
        ignores_few=described.get("EvaluateLowSampleCountPercentile") == "ignore",
        enabled=bool(described.get("ActionsEnabled", True)),
        actions={
            state: tuple(described.get(key) or ())
            for state, key in ((ALARM, "AlarmActions"), (OK, "OKActions"), (NO_DATA, "InsufficientDataActions"))
        },
    )
    _hold_to_limits(alarm)
    return alarm


def _hold_to_limits(alarm: Alarm) -> None:
    """What PutMetricAlarm refuses."""
    if alarm.comparison not in COMPARE:
        raise UnknownAlarm(f"{alarm.name}: {alarm.comparison} is not known here")
    if alarm.missing not in TREATMENTS:
        raise UnknownAlarm(f"{alarm.name}: missing data cannot be treated as {alarm.missing}")
    if not 1 <= alarm.needs <= alarm.of:
        raise UnknownAlarm(f"{alarm.name}: {alarm.needs} of {alarm.of} periods cannot be breaching")
    longest = DAY if alarm.period < 3600 else 7 * DAY
    if alarm.period % 60 or alarm.period * alarm.of > longest:
        raise UnknownAlarm(f"{alarm.name}: {alarm.of} periods of {alarm.period} s cannot be looked at")


def _plain(name: str, described: Mapping[str, Any]) -> Query:
    if "MetricName" not in described or described.get("Unit"):
        raise UnknownAlarm(f"{name}: only alarms on a metric of no unit, or on an expression, are known here")
    stat = described.get("Statistic") or described.get("ExtendedStatistic") or ""
    return Query("m", _metric(described), str(stat))


def _query(name: str, line: Mapping[str, Any]) -> Query:
    returned = bool(line.get("ReturnData", True))
    if stat := line.get("MetricStat"):
        return Query(line["Id"], _metric(stat["Metric"]), str(stat["Stat"]), returned=returned)
    if not line.get("Expression"):
        raise UnknownAlarm(f"{name}: the query {line.get('Id')} has neither a metric nor an expression")
    return Query(line["Id"], expression=str(line["Expression"]), returned=returned)


def _metric(told: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((str(one["Name"]), str(one["Value"])) for one in told.get("Dimensions") or ())
    return Metric(str(told["Namespace"]), str(told["MetricName"]), dimensions)


def evaluate(alarm: Alarm, read: Read, *, at: datetime, state: str) -> Verdict:
    """The state at a moment, given the one before it."""
    points: list[float | None] = []
    few = False
    for back in range(alarm.of + BEYOND, 0, -1):
        start = at - timedelta(seconds=alarm.period * back)
        value, few = _point(alarm, read, start, start + timedelta(seconds=alarm.period))
        points.append(value)
    # `few` is now that of the latest period.
    if few and alarm.ignores_few:
        return Verdict(state, tuple(points))
    breaching = [None if value is None else COMPARE[alarm.comparison](value, alarm.threshold) for value in points]
    return Verdict(judge(breaching, alarm.needs, alarm.of, alarm.missing, state), tuple(points))


def _point(alarm: Alarm, read: Read, start: datetime, end: datetime) -> tuple[float | None, bool]:
    """The value of a period, and whether a percentile in it stands on too few samples."""
    values: dict[str, float | None] = {}
    few = False
    for query in sorted(alarm.queries, key=lambda one: one.metric is None):
        if query.metric:
            samples = list(read(query.metric, start, end))
            values[query.id] = statistic(query.stat, samples)
            if samples and PERCENTILE.fullmatch(query.stat):
                few = few or not significant(query.stat, sum(one.count for one in samples))
        else:
            values[query.id] = calculate(query.expression, values)
    (returned,) = [query.id for query in alarm.queries if query.returned]
    return values[returned], few


def judge(breaching: list[bool | None], needs: int, of: int, missing: str, state: str) -> str:
    """The state that points lead to, the oldest first: those of the evaluation range, None for a missing one."""
    recent = breaching[-of:]
    real = [point for point in breaching if point is not None]
    judged = [point for point in recent if point is not None] if None not in recent else real[-of:]
    bad, lacking = sum(judged), of - len(judged)
    if not real:
        return {"missing": NO_DATA, "ignore": state, "breaching": ALARM, "notBreaching": OK}[missing]
    if bad >= needs:
        return ALARM
    if not lacking or missing == "notBreaching":
        return OK
    if missing == "breaching":
        return ALARM if bad + lacking >= needs else OK
    if False in judged:
        return OK
    if missing == "ignore":
        return state
    # Only bad ones, too few of them: it rings once the oldest is as old as it takes ("Avoiding premature transitions
    # to alarm state"). What it is until then the documents do not say: here, what it was.
    oldest = next((age for age in range(of, 0, -1) if breaching[-age]), 0)
    return ALARM if oldest >= needs else state
