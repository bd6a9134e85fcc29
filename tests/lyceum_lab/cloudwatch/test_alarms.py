"""The state of an alarm, by the tables of CloudWatch's documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lyceum_lab.cloudwatch import alarms
from lyceum_lab.cloudwatch.alarms import ALARM, NO_DATA, OK, UnknownAlarm
from lyceum_lab.cloudwatch.series import Metric, Sample, UnknownStatistic, significant, statistic

KEPT = "retain current state"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


# "Configuring how CloudWatch alarms treat missing data": X is breaching, 0 is not, - is missing; the latest is last.
@pytest.mark.parametrize(
    ("points", "needs", "states"),
    [
        ("0 - X - X", 3, (OK, OK, OK, OK)),
        ("- - - - 0", 3, (OK, OK, OK, OK)),
        ("- - - - -", 3, (NO_DATA, KEPT, ALARM, OK)),
        ("0 X X - X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", 3, (ALARM, KEPT, ALARM, OK)),
        ("0 - X - X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", 2, (OK, OK, ALARM, OK)),
        ("- - - - 0", 2, (OK, OK, ALARM, OK)),
        ("- - - X -", 2, (ALARM, KEPT, ALARM, OK)),
    ],
)
@pytest.mark.parametrize("state", [OK, ALARM])
def test_the_tables_of_the_documents(points: str, needs: int, states: tuple[str, ...], state: str) -> None:
    read = [{"X": True, "0": False, "-": None}[point] for point in points.split()]
    for treatment, wanted in zip(TREATMENTS, states, strict=True):
        found = alarms.judge(read, needs, 3, treatment, state)
        assert found == (state if wanted == KEPT else wanted), treatment


def test_one_bad_point_after_nothing_does_not_ring_at_once() -> None:
    assert alarms.judge([None, None, None, None, True], 3, 3, "missing", OK) == OK


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("Sum", [10, 20, 30, 40], 100),
        ("Average", [10, 20, 30, 40], 25),
        ("Minimum", [10, 20, 30, 40], 10),
        ("Maximum", [10, 20, 30, 40], 40),
        ("SampleCount", [10, 20, 30, 40], 4),
        ("p50", [10, 20, 30, 40], 20),
        ("p95", list(range(1, 101)), 95),
        ("p99.9", list(range(1, 101)), 100),
        ("Sum", [], None),
    ],
)
def test_statistics(name: str, values: list[float], found: float | None) -> None:
    assert statistic(name, [Sample.of(NOON, value) for value in values]) == found


def test_of_a_statistic_set_all_but_percentiles_is_known() -> None:
    told = [Sample(NOON, least=1, most=9, total=20, count=4), Sample.of(NOON, 10)]
    assert (statistic("Average", told), statistic("Maximum", told), statistic("Minimum", told)) == (6, 10, 1)
    with pytest.raises(UnknownStatistic, match="statistic set"):
        statistic("p95", told)
    with pytest.raises(UnknownStatistic, match="tm99"):
        statistic("tm99", told)


@pytest.mark.parametrize(("name", "least"), [("p95", 200), ("p99", 1000), ("p50", 20), ("p10", 100)])
def test_how_many_samples_a_percentile_takes(name: str, least: int) -> None:
    # 10 / (1 - percentile) from the median on, 10 / percentile below it.
    assert significant(name, least + 0.001)
    assert not significant(name, least - 1)
    assert significant("Sum", 0)


DESCRIBED: dict[str, Any] = {
    "AlarmName": "errors",
    "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors",
    "Namespace": "N",
    "MetricName": "m",
    "Dimensions": [{"Name": "D", "Value": "d"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
METRIC = Metric("N", "m", frozenset({("D", "d")}))


def stat(identifier: str, name: str, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "N", "MetricName": name, "Dimensions": []}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, **more}


def told(
    described: dict[str, Any], samples: dict[Metric, list[Sample]], *, at: datetime = NOON, state: str = OK
) -> Any:
    def read(metric: Metric, start: datetime, end: datetime) -> list[Sample]:
        return [one for one in samples.get(metric, []) if start <= one.at < end]

    return alarms.evaluate(alarms.parse(described), read, at=at, state=state)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def test_it_rings_when_all_periods_are_bad_and_not_before() -> None:
    samples = {METRIC: [Sample.of(ago(110), 5), Sample.of(ago(50), 2), Sample.of(ago(10), 3)]}
    assert told(DESCRIBED, samples).state == ALARM
    assert told(DESCRIBED, samples, at=ago(60)).state == OK
    assert told({**DESCRIBED, "Threshold": 5.1}, samples).state == OK


def test_a_period_begins_with_its_first_moment_and_ends_before_the_next() -> None:
    samples = {METRIC: [Sample.of(ago(60), 5), Sample.of(NOON, 7)]}
    assert told(DESCRIBED, samples).points[-1] == 5


def test_another_combination_of_dimensions_is_another_metric() -> None:
    wider = Metric("N", "m", frozenset({("D", "d"), ("E", "e")}))
    assert told(DESCRIBED, {wider: [Sample.of(ago(10), 99)]}).points[-1] is None


def test_few_samples_of_a_percentile_keep_the_state_where_they_are_ignored() -> None:
    of_latency = {key: value for key, value in DESCRIBED.items() if key != "Statistic"} | {"ExtendedStatistic": "p95"}
    samples = {METRIC: [Sample.of(ago(second), 9) for second in (10, 70)]}
    assert told(of_latency, samples).state == ALARM
    ignoring = {**of_latency, "EvaluateLowSampleCountPercentile": "ignore"}
    assert told(ignoring, samples, state=OK).state == OK
    assert told(ignoring, samples, state=ALARM).state == ALARM
    many = {METRIC: [Sample.of(ago(second / 2), 9) for second in range(1, 240)] * 2}
    assert told(ignoring, many, state=OK).state == ALARM


def test_metric_math() -> None:
    described = {key: DESCRIBED[key] for key in DESCRIBED.keys() - {"Namespace", "MetricName", "Dimensions", "Period"}}
    described["Metrics"] = [
        {"Id": "rate", "Expression": "IF(all >= 20, 100 * FILL(bad, 0) / all, 0)", "ReturnData": True},
        stat("bad", "errors", ReturnData=False),
        stat("all", "requests", ReturnData=False),
    ]
    bad, every = (Metric("N", name, frozenset()) for name in ("errors", "requests"))
    samples = {bad: [Sample.of(ago(10), 2)], every: [Sample.of(ago(70), 19), Sample.of(ago(10), 40)]}
    assert told(described, samples).points[-2:] == (0, 5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"}, "is not known"),
        ({"TreatMissingData": "whatever"}, "cannot be treated"),
        ({"DatapointsToAlarm": 3}, "3 of 2"),
        ({"EvaluationPeriods": 1441}, "cannot be looked at"),
        ({"Period": 45}, "cannot be looked at"),
        ({"Unit": "Percent"}, "no unit"),
        ({"Metrics": [stat("a", "x"), stat("b", "y")]}, "exactly one"),
        ({"Metrics": [{"Id": "a"}]}, "neither"),
    ],
)
def test_what_cloudwatch_or_we_do_not_know_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises((UnknownAlarm, KeyError), match=says):
        alarms.parse({**DESCRIBED, **change})
