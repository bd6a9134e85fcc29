"""The subset of metric math: what it works out, what it leaves missing, what it refuses."""

from __future__ import annotations

import pytest

from lyceum_lab.scaling.metric_math import Point, UnknownExpression, evaluate

M = {"memory": 70.0, "cpu": 20.0, "gone": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("memory - 45", 25.0),
        ("100 * cpu / 50", 40.0),
        ("-cpu + 2.5", -17.5),
        ("IF(memory > 45, memory - 45, 0)", 25.0),
        ("IF(memory <= 45, 1, IF(cpu != 20, 2, 3))", 3.0),
        ("MAX([memory, cpu])", 70.0),
        ("MIN([memory, gone, cpu])", 20.0),
        ("FILL(gone, 0)", 0.0),
        ("FILL(cpu, 0)", 20.0),
    ],
)
def test_it_works_out(expression: str, value: float) -> None:
    assert evaluate(expression, M) == value


@pytest.mark.parametrize("expression", ["gone", "gone + 1", "IF(gone > 1, 1, 0)", "MAX([gone])", "cpu / 0", "-gone"])
def test_what_is_made_of_a_missing_point_is_missing(expression: str) -> None:
    assert evaluate(expression, M) is None


@pytest.mark.parametrize(
    "expression",
    [
        "other + 1",
        "MAX(memory)",
        "SEARCH('x')",
        "cpu ** 2",
        "cpu > 1 > 0",
        "RATE(cpu)",
        "cpu +",
        "True",
        "cpu and memory",
    ],
)
def test_what_it_does_not_know_is_refused(expression: str) -> None:
    points: dict[str, Point] = dict(M)
    with pytest.raises(UnknownExpression):
        evaluate(expression, points)
