"""The deployed policies under load curves: to two servers and back, no flapping, no scale-in without data; and each
of these fails when the policy is spoilt."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lyceum_lab.scaling.conftest import RECORDED

from lyceum_lab.scaling.metric_math import Point
from lyceum_lab.scaling.policies import Metric, Policy, Query, parse
from lyceum_lab.scaling.simulation import History, Kind, Load, run

DAY = 24 * 60
Curve = Callable[[int], Load]


def hill(peak: Load, *, begins: int = 30, lasts: int = 120) -> Curve:
    """Nothing, then a smooth hill up to the peak, then nothing."""

    def load(minute: int) -> Load:
        inside = begins <= minute < begins + lasts
        height = math.sin(math.pi * (minute - begins) / lasts) if inside else 0.0
        return Load(peak.cpu * height, peak.memory * height)

    return load


def steady(cpu: float, memory: float, *, noise: float, seed: int) -> Curve:
    """The same load all day, each minute off by up to `noise` of itself and independent of the last."""
    chance = random.Random(seed)
    minutes = [1 + chance.uniform(-noise, noise) for _ in range(DAY)]
    return lambda minute: Load(cpu * minutes[minute], memory * minutes[minute])


def named(policies: list[Policy], *endings: str) -> list[Policy]:
    found = [policy for policy in policies if policy.name.endswith(endings)]
    assert len(found) == len(endings)
    return found


def steps(history: History) -> list[tuple[int, int]]:
    return [(before, after) for _, before, after in history.changes]


OUT_AND_BACK = [(1, 2), (2, 1)]
CPU = hill(Load(cpu=90, memory=10))
MEMORY = hill(Load(cpu=20, memory=40))


@pytest.mark.parametrize("curve", [CPU, MEMORY], ids=["cpu", "memory"])
def test_a_hill_takes_the_group_to_two_servers_and_back(deployed: list[Policy], curve: Curve) -> None:
    history = run(deployed, curve, minutes=360)
    assert steps(history) == OUT_AND_BACK
    (out, _, _), (back, _, _) = history.changes
    assert out < 90, "the second server comes before the peak"
    assert back > 90, "it stays over the peak"
    assert back < 30 + 120 + 60, "and does not outstay the load by an hour"


@pytest.mark.parametrize(("curve", "ending"), [(CPU, "cpu"), (MEMORY, "memory-above-idle")], ids=["cpu", "memory"])
def test_each_hill_needs_its_own_policy(deployed: list[Policy], curve: Curve, ending: str) -> None:
    without = [policy for policy in deployed if not policy.name.endswith(ending)]
    assert steps(run(without, curve, minutes=360)) == []


@pytest.mark.parametrize("idle", [35.0, 45.0, 50.0, 53.0])
def test_it_returns_though_an_idle_server_uses_up_to_eight_points_more_than_declared(
    deployed: list[Policy], idle: float
) -> None:
    assert steps(run(deployed, CPU, minutes=480, kind=Kind(idle_memory=idle))) == OUT_AND_BACK


def test_beyond_that_the_declared_idle_memory_has_to_be_mended(deployed: list[Policy]) -> None:
    """Why memory_idle_percent has to be measured: an idle pair no longer looks idle."""
    assert run(deployed, CPU, minutes=DAY, kind=Kind(idle_memory=54.0)).desired[-1] == 2


def test_a_target_in_plain_memory_never_returns_to_one_server(deployed: list[Policy]) -> None:
    """Why memory is tracked above the idle baseline: an idle pair uses 45 %, more than half of 70 %."""
    memory = next(metric for policy in deployed for metric in policy.metrics if metric.name == "mem_used_percent")
    queries = (
        dataclasses.replace(
            named(deployed, "above-idle")[0].queries[0], id="m", metric=memory, expression="", returned=True
        ),
    )
    plain = Policy("plain", 70.0, queries)
    naive = [*named(deployed, "cpu"), plain]
    history = run(naive, MEMORY, minutes=DAY)
    assert steps(history) == [(1, 2)]
    assert history.desired[-1] == 2
    # Not even when the load was CPU's alone.
    assert run(naive, CPU, minutes=DAY).desired[-1] == 2


# ------------------------------------------------------------------------------------------------ missing data


def blind(name: str, since: int = 0) -> Callable[[Metric, int], bool]:
    return lambda metric, minute: metric.name != name or minute < since


def test_without_memory_data_it_scales_out_and_not_in(deployed: list[Policy]) -> None:
    history = run(deployed, CPU, minutes=DAY, reported=blind("mem_used_percent"))
    assert steps(history) == [(1, 2)]


@pytest.mark.parametrize("name", ["mem_used_percent", "CPUUtilization", "GroupInServiceInstances"])
def test_an_agent_that_falls_silent_on_the_way_keeps_the_second_server(deployed: list[Policy], name: str) -> None:
    history = run(deployed, CPU, minutes=DAY, reported=blind(name, since=100))
    assert steps(history) == [(1, 2)]


def test_a_policy_that_fills_gaps_with_zero_would_take_a_server_from_the_blind(deployed: list[Policy]) -> None:
    filled = [spoilt(policy, lambda text: text.replace("memory >", "FILL(memory, 0) >")) for policy in deployed]
    assert steps(run(filled, CPU, minutes=DAY, reported=blind("mem_used_percent"))) == OUT_AND_BACK


def test_one_missing_minute_delays_the_way_back(deployed: list[Policy]) -> None:
    (_, (back, _, _)) = run(deployed, CPU, minutes=360).changes
    late = run(deployed, CPU, minutes=360, reported=lambda metric, minute: minute != back - 2)
    assert late.changes[1][0] == back - 2 + 15


# ------------------------------------------------------------------------------------------------ flapping


def spoilt(policy: Policy, change: Callable[[str], str]) -> Policy:
    return dataclasses.replace(
        policy, queries=tuple(dataclasses.replace(q, expression=change(q.expression)) for q in policy.queries)
    )


# A target's load as one server sees it: idle CPU is part of what is measured.
AT_TARGET = {"cpu": (47.0, 5.0), "memory": (10.0, 25.0)}


@pytest.mark.parametrize("share", [0.7, 0.8, 0.9, 1.0, 1.1, 1.3, 1.6, 1.9])
@pytest.mark.parametrize("which", AT_TARGET)
@pytest.mark.parametrize("noise", [0.1, 0.2])
@pytest.mark.parametrize("seed", range(2))
def test_a_steady_load_around_the_target_moves_the_group_once_a_day_at_most(
    deployed: list[Policy], which: str, share: float, seed: int, noise: float
) -> None:
    cpu, memory = (share * part for part in AT_TARGET[which])
    history = run(deployed, steady(cpu, memory, noise=noise, seed=seed), minutes=DAY)
    assert steps(history) in ([], [(1, 2)])


@settings(max_examples=60)
@given(
    cpu=st.floats(0, 190), memory=st.floats(0, 50), noise=st.floats(0, 0.2), seed=st.integers(0, 10**6),
    start=st.integers(1, 2),
)  # fmt: skip
def test_no_steady_load_flaps(cpu: float, memory: float, noise: float, seed: int, start: int) -> None:
    deployed = parse(_described())
    history = run(deployed, steady(cpu, memory, noise=noise, seed=seed), minutes=DAY, start=start)
    assert len(history.changes) <= 1


def _described() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RECORDED.read_text())
    return found


def test_without_the_hold_a_load_at_the_target_moves_the_group_all_day(deployed: list[Policy]) -> None:
    """Why the third policy is there."""
    cpu, memory = AT_TARGET["cpu"]
    without = named(deployed, "cpu", "memory-above-idle")
    assert len(run(without, steady(cpu, memory, noise=0.10, seed=0), minutes=DAY).changes) > 20


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_whatever_the_load_a_change_of_mind_takes_a_quarter_of_an_hour(seed: int) -> None:
    """No curve at all makes servers come and go faster than the alarms allow."""
    chance = random.Random(seed)
    wild = [Load(chance.choice([0, 60, 150]), chance.choice([0, 20, 50])) for _ in range(DAY // 30 + 1)]
    history = run(parse(_described()), lambda minute: wild[minute // 30], minutes=DAY)
    ups = [minute for minute, before, after in history.changes if after > before]
    assert all(later - earlier >= 15 for earlier, later in itertools.pairwise(ups))


def test_the_hold_alone_never_asks_for_a_server(deployed: list[Policy]) -> None:
    loaded = hill(Load(cpu=200, memory=55))
    assert steps(run(named(deployed, "hold"), loaded, minutes=360)) == []
    # Nor for a third, where a group may have three.
    assert max(run(named(deployed, "hold"), loaded, minutes=360, start=2, most=3).desired) == 2


def test_it_stays_within_its_limits(deployed: list[Policy]) -> None:
    history = run(deployed, hill(Load(cpu=2000, memory=500)), minutes=360)
    assert set(history.desired) == {1, 2}


# ------------------------------------------------------------------------------------------------ the rules


def test_a_server_that_warms_up_blocks_the_way_back(deployed: list[Policy]) -> None:
    short = hill(Load(cpu=150), begins=5, lasts=12)
    quick, slow = (run(deployed, short, minutes=240, kind=Kind(warm_up=warm_up)).changes[1][0] for warm_up in (1, 40))
    (out, _, _) = run(deployed, short, minutes=240, kind=Kind(warm_up=40)).changes[0]
    assert slow >= out + Kind().boot + 40 > quick


def test_a_peak_of_two_minutes_asks_for_nothing_and_one_of_three_does(deployed: list[Policy]) -> None:
    def peak(lasts: int) -> Curve:
        return lambda minute: Load(cpu=90) if 30 <= minute < 30 + lasts else Load()

    assert steps(run(deployed, peak(2), minutes=120)) == []
    assert run(deployed, peak(3), minutes=120).changes[0][:2] == (32, 1)


def test_fourteen_low_minutes_are_not_enough(deployed: list[Policy]) -> None:
    history = run(deployed, lambda _: Load(), minutes=60, start=2)
    assert history.changes == [(14, 2, 1)]  # the fifteenth point


@pytest.mark.parametrize(("percent", "left"), [(93, 20), (88, 18)])
def test_just_below_the_target_is_not_low(deployed: list[Policy], percent: int, left: int) -> None:
    """Twenty servers at 93 % of the target could be nineteen; below 90 % they become as few as the target bears."""
    work = 20 * (50 * percent / 100 - Kind().idle_cpu)
    history = run(named(deployed, "cpu"), lambda _: Load(cpu=work), minutes=30, start=20, most=20)
    assert history.desired[-1] == left


def test_one_policy_that_is_not_ready_keeps_the_server(deployed: list[Policy]) -> None:
    half_full = run(deployed, lambda _: Load(cpu=5, memory=44), minutes=DAY, start=2)
    assert half_full.changes == []
    gone = run(named(deployed, "cpu"), lambda _: Load(cpu=5, memory=44), minutes=DAY, start=2)
    assert steps(gone) == [(2, 1)]


def test_a_policy_with_its_scale_in_off_has_no_say_in_it(deployed: list[Policy]) -> None:
    mute = [dataclasses.replace(p, scales_in=p.name.endswith("cpu")) for p in deployed]
    assert steps(run(mute, lambda _: Load(cpu=5, memory=44), minutes=60, start=2))[0] == (2, 1)
    none = [dataclasses.replace(p, scales_in=False) for p in deployed]
    assert steps(run(none, lambda _: Load(), minutes=DAY, start=2)) == []


# ------------------------------------------------------------------------------------------------ spoilt policies


def retarget(policies: list[Policy], ending: str, target: float) -> list[Policy]:
    return [dataclasses.replace(p, target=target) if p.name.endswith(ending) else p for p in policies]


@pytest.mark.parametrize(
    ("what", "spoil", "curve"),
    [
        ("a CPU target that one server never reaches", lambda p: retarget(p, "cpu", 95), CPU),
        ("a CPU target below half of what an idle pair shows", lambda p: retarget(p, "cpu", 5), CPU),
        ("a memory target that one server never reaches", lambda p: retarget(p, "above-idle", 45), MEMORY),
        ("an idle baseline too low", lambda p: [spoilt(q, lambda t: t.replace("45", "25")) for q in p], MEMORY),
        ("an idle baseline too high", lambda p: [spoilt(q, lambda t: t.replace("45", "90")) for q in p], MEMORY),
        ("a hold that nothing satisfies", lambda p: retarget(p, "hold", 4), CPU),
    ],
)
def test_spoilt_policies_are_noticed(
    deployed: list[Policy], what: str, spoil: Callable[[list[Policy]], list[Policy]], curve: Curve
) -> None:
    assert steps(run(spoil(deployed), curve, minutes=360)) != OUT_AND_BACK, what


def test_nothing_here_measures_what_it_does_not_know() -> None:
    metric = Metric("AWS/EC2", "DiskReadOps", ())
    policy = Policy("p", 1.0, (Query("m", metric, "", returned=True),))
    point: Point = None
    assert policy.value({metric: point}) is None
    with pytest.raises(ValueError, match="DiskReadOps"):
        run([policy], lambda _: Load(), minutes=1)
