"""The benchmark counts what it says: requests of one kind, the CPU that they took, and no answer but a good one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lyceum_lab import bench
from lyceum_lab.bench import Figure, Kind
from lyceum_ops.errors import LyceumError, Usage


def test_the_warm_up_is_not_counted_and_cpu_is_shared_out() -> None:
    asked = 0
    used: Iterator[float] = iter((3.0, 3.5))

    def ask() -> int:
        nonlocal asked
        asked += 1
        return 200

    figure = bench.measure(Kind("page", ask), 100, lambda: next(used))
    assert asked == bench.WARM_UP + 100
    assert (figure.requests, figure.cpu) == (100, 5.0)
    assert 0 <= figure.median <= figure.p95


def test_an_answer_that_is_not_good_is_no_figure() -> None:
    with pytest.raises(LyceumError, match="of the kind page was answered 503"):
        bench.measure(Kind("page", lambda: 503), 100, lambda: 0.0)


def test_learners_follow_from_what_a_minute_of_one_costs() -> None:
    figures = [Figure(name, 1, cpu, 0, 0) for name, cpu in ((bench.LESSON, 20.0), (bench.REPORT, 5.0))]
    # 6 reports of 5 ms and half a page of 20 ms are 40 ms a minute.
    assert bench.learners(figures, 1) == 1500
    assert bench.learners(figures, 0.1) == 150


def test_what_took_too_few_ticks_is_no_measure() -> None:
    steps = bench.FEWEST_TICKS * bench.TICK_MS
    enough = [Figure("a", 100, steps / 100, 0, 0), Figure("b", 100, steps / 50, 0, 0)]
    assert bench.ratios(enough) == ["1.0", "2.0"]
    assert bench.ratios([Figure("a", 99, steps / 100, 0, 0), enough[1]]) == ["-", "-"]
    assert bench.ratios([Figure("a", 100, 0, 0, 0), enough[1]]) == ["-", "-"]
    with pytest.raises(LyceumError, match="counted no CPU for so few"):
        bench.learners([Figure(name, 20, 0, 0, 0) for name in (bench.LESSON, bench.REPORT)], 1)


@pytest.mark.parametrize("count", [0, -1, 19, 20_001])
def test_too_few_or_too_many_requests_are_refused(count: int) -> None:
    with pytest.raises(Usage, match=rf"{count} requests of a kind are not from 20 to 20000"):
        bench.bench(count)
