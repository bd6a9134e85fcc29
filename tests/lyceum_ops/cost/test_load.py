"""The load model: its sums by hand, its source in the player, and what it refuses."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from lyceum_lab import paths
from lyceum_ops.cost import Load
from lyceum_ops.cost.load import ASSUMPTIONS, DIVISORS, Demand
from lyceum_ops.errors import Usage


def test_the_sums_of_a_load() -> None:
    demand = Demand(Load.of(500, 10))
    # 5,000 hours, a report every 10 s, 20 pages of 3 requests an hour.
    assert [demand.watched, demand.reports, demand.requests] == [5000, 1_800_000, 2_100_000]
    assert demand.video_gb == Decimal(5000 * 450) / 1024
    assert demand.cpu_hours == Decimal("17.5")


def test_reports_come_as_often_as_the_player_sends_them() -> None:
    player = (paths.SRC / "lyceum/progress/static/progress/player.js").read_text()
    sent = re.search(r"const REPORT_EVERY = ([\d_]+);", player)
    assert sent
    assert Demand(Load.of(1, 1)).of["report_seconds"] * 1000 == int(sent[1])


def test_every_assumption_has_a_reason_and_a_name_of_its_own() -> None:
    assert len({one.name for one in ASSUMPTIONS}) == len(ASSUMPTIONS)
    assert all(one.why and one.unit for one in ASSUMPTIONS)
    assert {one.name for one in ASSUMPTIONS} >= DIVISORS


def test_an_assumption_can_be_another() -> None:
    assert Demand(Load.of(1, 1, {"video_mb_hour": "1024"})).video_gb == 1


@pytest.mark.parametrize(
    ("learners", "hours", "assume", "fault"),
    [
        (-1, 10, {}, "--learners takes a number from 0"),
        (10**12, 10, {}, "--learners takes a number from 0 to"),
        (1, -0.5, {}, "--video-hours takes 0 to 730"),
        (1, 731, {}, "--video-hours takes 0 to 730"),
        (1, float("nan"), {}, "--video-hours takes 0 to 730"),
        (1, 1, {"video": "1"}, "no assumption named 'video'"),
        (1, 1, {"video_mb_hour": "much"}, "--assume video_mb_hour takes a number"),
        (1, 1, {"video_mb_hour": "-1"}, "--assume video_mb_hour takes a number from 0"),
        (1, 1, {"report_seconds": "0"}, "--assume report_seconds takes a number from 0.001"),
        (1, 1, {"pages_hour": "inf"}, "--assume pages_hour takes a number"),
    ],
)
def test_a_load_that_cannot_be_is_refused(learners: int, hours: float, assume: dict[str, str], fault: str) -> None:
    with pytest.raises(Usage, match=fault):
        Load.of(learners, hours, assume)
