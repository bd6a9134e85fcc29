"""An instance refresh from its start to its end, second by second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.lyceum_lab.cloud.group.world import DEPLOYED, World

from lyceum_lab.cloud.group.refresh import Refresh, Status, roll_back


def refresh(**fields: Any) -> Refresh:
    """As the release tool asks for it."""
    usual: dict[str, Any] = {
        "min_healthy": 100, "max_healthy": 200, "warm_up": 180, "skip_matching": True, "auto_rollback": True,
        "patience": 1_000,
    }  # fmt: skip
    return Refresh("r-1", Status.PENDING, "2", **{**usual, **fields})


def refreshed(desired: int = 1, **fields: Any) -> World:
    world = World(replace(DEPLOYED, desired=desired)).run(800)
    assert world.serving[-1] == desired
    world.refresh = refresh(**fields)
    return world


def status(world: World) -> str:
    assert world.refresh
    return world.refresh.status.value


@pytest.mark.parametrize("desired", [1, 2])
def test_a_good_release_replaces_everything_and_never_serves_with_less(desired: int) -> None:
    world = refreshed(desired)
    percents = []
    for _ in range(1_000):
        world.tick()
        assert world.refresh
        percents.append(world.refresh.percent)
    assert status(world) == "Successful"
    assert world.versions == ["2"] * desired
    assert world.group.version == "2"
    assert min(world.serving[800:]) == desired
    assert max(world.live) <= 2 * desired
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_with_an_interval_without_room_one_goes_first() -> None:
    # The counterpart: zero downtime is the percentages' doing.
    world = refreshed(min_healthy=0, max_healthy=100).run(1_000)
    assert status(world) == "Successful"
    assert 0 in world.serving[800:]


def test_a_release_that_never_gets_healthy_is_rolled_back_and_costs_nothing() -> None:
    world = refreshed()
    world.passes = lambda machine: machine.version == "1"
    world.run(990)
    assert (status(world), "1" in world.versions) == ("InProgress", True)
    world.run(100)
    assert status(world) == "RollbackSuccessful"
    assert (world.versions, world.group.version) == (["1"], "1")
    assert min(world.serving[800:]) == 1
    assert world.refresh
    assert "within 1000 s" in world.refresh.reason


def test_a_ringing_alarm_rolls_back_without_a_gap() -> None:
    world = refreshed(warm_up=180, bake=600).run(600)
    assert (status(world), world.versions) == ("Baking", ["2"])
    world.alarm = "lyceum-dev-target-errors"
    world.run(5)
    assert status(world) == "RollbackInProgress"
    world.run(600)
    assert status(world) == "RollbackSuccessful"
    assert world.versions == ["1"]
    assert min(world.serving[800:]) == 1


def test_without_auto_rollback_it_fails_and_stays_as_it_is() -> None:
    world = refreshed(auto_rollback=False)
    world.alarm = "rings"
    world.run(10)
    assert status(world) == "Failed"
    assert world.versions == ["1"]
    assert world.group.version == "1"


def test_a_cancelled_one_stops_where_it_is() -> None:
    world = refreshed(2).run(40)
    assert world.refresh
    world.refresh = replace(world.refresh, status=Status.CANCELLING)
    world.run(600)
    assert status(world) == "Cancelled"
    assert world.group.version == "1"
    assert world.serving[-1] == 2


def test_a_rollback_that_is_asked_for() -> None:
    world = refreshed().run(60)
    assert world.refresh
    world.refresh = roll_back(world.now, world.refresh, list(world.machines.values()))
    world.run(600)
    assert status(world) == "RollbackSuccessful"
    assert world.versions == ["1"]
    assert min(world.serving[800:]) == 1


@pytest.mark.parametrize(("skip", "replaced"), [(True, 0), (False, 1)])
def test_what_matches_already_is_skipped_when_that_is_asked(skip: bool, replaced: int) -> None:
    world = refreshed(skip_matching=skip)
    world.refresh = replace(refresh(skip_matching=skip), version="1")
    made = world.made
    world.run(800)
    assert status(world) == "Successful"
    assert world.made - made == replaced


def test_scaling_out_during_a_refresh_launches_the_new_version() -> None:
    world = refreshed().run(30)
    world.want(desired=2).run(1_000)
    assert status(world) == "Successful"
    assert world.versions == ["2", "2"]


def test_a_group_at_its_maximum_is_refreshed_too() -> None:
    world = refreshed(2)
    world.want(most=2).run(1_500)
    assert status(world) == "Successful"
    assert min(world.serving[800:]) == 2
