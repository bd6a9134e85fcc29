"""When a schedule is due, against moments counted by hand; what is not known is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lyceum_lab.clock.schedule import due

# A Sunday.
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "hours", "minutes"),
    [
        ("rate(1 minute)", 0.05, [1, 2, 3]),
        ("rate(30 minutes)", 1.9, [30, 60, 90]),
        ("rate(1 day)", 24, [1440]),
        ("cron(5 * * * ? *)", 3, [5, 65, 125]),
        ("cron(0 14 * * ? *)", 30, [120, 1560]),
        ("cron(0 3 ? * 1 *)", 7 * 24, [6 * 1440 + 900]),
        ("cron(0 0 1 12 ? 2026)", 400 * 24, [8 * 1440 + 720]),
        ("cron(0 0 1 12 ? 2025)", 24, []),
    ],
)
def test_it_is_due_when_it_says(expression: str, hours: float, minutes: list[int]) -> None:
    found = due(expression, NOON, NOON + timedelta(hours=hours))
    assert [(moment - NOON) / timedelta(minutes=1) for moment in found] == minutes


def test_the_moment_itself_belongs_to_what_came_before() -> None:
    assert due("cron(0 * * * ? *)", NOON, NOON) == []
    assert due("cron(0 * * * ? *)", NOON - timedelta(seconds=1), NOON) == [NOON]


@pytest.mark.parametrize(
    "expression",
    ["rate(0 minutes)", "rate(1 fortnight)", "cron(*/5 * * * ? *)", "cron(0 3 ? * SUN *)", "at(2026-11-22T12:00:00)"],
)  # fmt: skip
def test_what_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"never due|not known here"):
        due(expression, NOON, NOON + timedelta(hours=1))
