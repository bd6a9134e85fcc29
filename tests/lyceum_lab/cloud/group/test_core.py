"""What the group decides: a table of single decisions, then whole stories second by second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.lyceum_lab.cloud.group.world import DEPLOYED, World

from lyceum_lab.cloud.group.core import (
    Action,
    Drain,
    Enter,
    Group,
    Launch,
    Life,
    Machine,
    MarkUnhealthy,
    Power,
    Terminate,
    decide,
)


def machine(name: str = "i-1", **fields: Any) -> Machine:
    """In service and healthy since long ago."""
    usual: dict[str, Any] = {
        "subnet": "subnet-a", "version": "1", "life": Life.IN_SERVICE, "launched": 0.0, "target": "healthy",
        "in_service_since": 0.0, "ready_since": 10.0,
    }  # fmt: skip
    return Machine(name, **{**usual, **fields})


def pending(name: str = "i-2", **fields: Any) -> Machine:
    return machine(
        name, **{"life": Life.PENDING, "target": "", "in_service_since": None, "ready_since": None, **fields}
    )


def leaving(name: str = "i-3", **fields: Any) -> Machine:
    return machine(name, **{"life": Life.TERMINATING, "target": "draining", **fields})


def kinds(actions: list[Action]) -> list[tuple[str, str]]:
    return [
        (type(action).__name__, action.subnet if isinstance(action, Launch) else action.id)
        for action in actions
    ]  # fmt: skip


NOW = 10_000.0
NO_POLICY = replace(DEPLOYED, min_healthy=None, max_healthy=None)


@pytest.mark.parametrize(
    ("group", "machines", "expected"),
    [
        pytest.param({}, [], [("Launch", "subnet-a")], id="the first"),
        pytest.param({"desired": 2}, [machine()], [("Launch", "subnet-b")], id="the second, in the other zone"),
        pytest.param({"desired": 2}, [], [("Launch", "subnet-a"), ("Launch", "subnet-b")], id="two at once"),
        pytest.param({}, [machine()], [], id="nothing to do"),
        pytest.param({}, [pending(power=Power.STARTING)], [], id="boots"),
        pytest.param({}, [pending()], [("Enter", "i-2")], id="runs"),
        pytest.param({"desired": 0}, [machine()], [("Drain", "i-1")], id="to none"),
        pytest.param({}, [machine("i-1"), machine("i-2", launched=5.0)], [("Drain", "i-1")], id="the oldest goes"),
        pytest.param(
            {},
            [machine("i-1", version="2"), machine("i-2", launched=5.0, version="1")],
            [("Drain", "i-2")],
            id="the oldest version goes before the oldest",
        ),
        pytest.param(
            {"desired": 2},
            [machine("i-1", subnet="subnet-b"), machine("i-2", launched=5.0), machine("i-3", launched=6.0)],
            [("Drain", "i-2")],
            id="the zone with most gives",
        ),
        pytest.param({}, [machine(protected=True), machine("i-2", launched=5.0)], [("Drain", "i-2")], id="protected"),
        pytest.param({"desired": 0}, [leaving()], [], id="drains"),
        pytest.param({"desired": 0}, [leaving(target="")], [("Terminate", "i-3")], id="has drained"),
        pytest.param({}, [leaving(), machine()], [], id="one leaves, one is enough"),
        pytest.param({}, [leaving()], [("Launch", "subnet-a")], id="who leaves does not count"),
        pytest.param({}, [machine(target="initial", in_service_since=NOW)], [], id="in its first checks"),
        pytest.param(
            {}, [machine(target="unhealthy", in_service_since=NOW - 299)], [], id="unhealthy within the grace period"
        ),
        pytest.param(
            {},
            [machine(target="unhealthy", in_service_since=NOW - 300)],
            [("MarkUnhealthy", "i-1"), ("Launch", "subnet-a")],
            id="unhealthy after it: another one first",
        ),
        pytest.param(
            {"min_healthy": None, "max_healthy": None},
            [machine(target="unhealthy")],
            [("MarkUnhealthy", "i-1"), ("Drain", "i-1")],
            id="without a policy it goes at once",
        ),
        pytest.param(
            {},
            [machine(healthy=False, target="unhealthy"), machine("i-2", ready_since=NOW - 179)],
            [],
            id="the other one is still warming up",
        ),
        pytest.param(
            {},
            [machine(healthy=False, target="unhealthy"), machine("i-2", ready_since=NOW - 180)],
            [("Drain", "i-1")],
            id="it is warm: the unhealthy one goes",
        ),
        pytest.param(
            {},
            [machine(power=Power.GONE, target="unhealthy", in_service_since=NOW)],
            [("MarkUnhealthy", "i-1"), ("Launch", "subnet-a"), ("Drain", "i-1")],
            id="a machine that is gone knows no grace",
        ),
        pytest.param(
            {},
            [pending(power=Power.GONE)],
            [("MarkUnhealthy", "i-2"), ("Launch", "subnet-a"), ("Drain", "i-2")],
            id="a boot that fails",
        ),
        pytest.param(
            {"asks_balancer": False}, [machine(target="unhealthy")], [], id="the balancer is not asked about health"
        ),
        pytest.param({"lifetime": 9_999.0}, [machine()], [("Launch", "subnet-a")], id="too old: another one first"),
        pytest.param(
            {"suspended": frozenset({"Launch"})}, [], [], id="launching is suspended"
        ),
        pytest.param(
            {"suspended": frozenset({"ReplaceUnhealthy"})},
            [machine(target="unhealthy")],
            [("MarkUnhealthy", "i-1")],
            id="replacing is suspended",
        ),
        pytest.param(
            {"desired": 2},
            [machine(healthy=False, target="unhealthy"), machine("i-2", subnet="subnet-b")],
            [("Launch", "subnet-a")],
            id="of two, a replacement in its own zone",
        ),
    ],
)  # fmt: skip
def test_a_decision(group: dict[str, Any], machines: list[Machine], expected: list[tuple[str, str]]) -> None:
    assert kinds(decide(NOW, replace(DEPLOYED, **group), machines)) == expected


def test_it_is_enough_to_decide_once() -> None:
    # Every action changes what it was decided from: none of them is asked for a second time.
    world = World().want(desired=2).run(600)
    assert world.made == 2
    assert world.serving[-1] == 2


def first_service(world: World) -> int:
    return next(second for second, count in enumerate(world.serving) if count)


def test_out_and_in_again() -> None:
    world = World().run(400)
    assert (world.made, world.serving[-1]) == (1, 1)
    world.want(desired=2).run(400)
    assert {m.subnet for m in world.machines.values()} == {"subnet-a", "subnet-b"}
    world.want(desired=1).run(20)
    assert (len(world.machines), world.serving[-1]) == (2, 1)  # one drains
    world.run(20)
    assert world.ids == ["i-2"]
    assert min(world.serving[first_service(world) :]) == 1


@pytest.mark.parametrize("group", [DEPLOYED, replace(DEPLOYED, desired=2)])
def test_replacing_the_unhealthy_never_costs_a_server_that_works(group: Group) -> None:
    world = World(group).run(800)
    before = world.serving[-1]
    world.passes = lambda machine: machine.id != "i-1"
    world.run(1000)
    assert world.causes[0] == "an ELB system health check failure"
    assert "i-1" not in world.ids
    assert world.serving[-1] == before
    assert min(world.serving[800:]) >= before - 1  # the one that failed, and no other
    assert max(world.live) <= 2 * group.desired


def test_one_server_that_grew_old_is_replaced_without_a_gap() -> None:
    world = World(replace(DEPLOYED, lifetime=2_000)).run(4_000)
    assert world.made >= 2
    assert min(world.serving[first_service(world) :]) == 1


@pytest.mark.parametrize(("group", "gap"), [(DEPLOYED, False), (NO_POLICY, True)])
def test_without_a_maintenance_policy_there_is_a_gap(group: Group, gap: bool) -> None:
    world = World(group).run(800)
    world.passes = lambda machine: machine.id != "i-1"
    world.run(400)
    assert (0 in world.live[800:]) == gap


def test_a_machine_that_cannot_boot_is_tried_again_and_again() -> None:
    world = World(boot=1e9)
    for _ in range(5):
        world.run(10)
        for each in list(world.machines.values()):
            if each.life is Life.PENDING:
                world.change(each.id, power=Power.GONE)
    assert world.made >= 4
    assert max(world.live) <= 2


@pytest.mark.parametrize("group", [DEPLOYED, replace(DEPLOYED, desired=2), NO_POLICY])
def test_where_no_server_ever_gets_healthy_the_next_is_tried_within_bounds(group: Group) -> None:
    world = World(group, passes=lambda machine: int(machine.id.removeprefix("i-")) > 5).run(4_000)
    assert world.serving[-1] == group.desired
    assert world.made == 5 + group.desired
    assert max(world.live) <= 2 * group.desired
    # Each gets its time: not more are started than the grace period gives room for.
    world = World(group, passes=lambda machine: False).run(20 * int(group.grace))
    assert 15 * group.desired <= world.made <= 20 * group.desired
    assert max(world.live) <= 2 * group.desired


def test_actions_are_about_machines_that_exist() -> None:
    assert decide(NOW, DEPLOYED, [pending()]) == [Enter("i-2")]
    assert decide(NOW, replace(DEPLOYED, desired=0), [leaving(target="")]) == [Terminate("i-3")]
    unhealthy = decide(NOW, DEPLOYED, [machine(target="unhealthy")])
    assert unhealthy[0] == MarkUnhealthy("i-1", "an ELB system health check failure")
    assert isinstance(decide(NOW, replace(DEPLOYED, desired=0), [machine()])[0], Drain)
