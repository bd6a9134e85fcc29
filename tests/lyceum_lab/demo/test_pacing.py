"""Recorded time and the film's: live where it fits, else cut or lapsed, and never without a mark."""

from __future__ import annotations

import pytest

from lyceum_lab.demo import pacing
from lyceum_lab.demo.storyboard import Scene, Step
from lyceum_lab.demo.takes import Event, Take


def take(*seconds: float, typed: float = 1.0, lasts: float) -> Take:
    return Take([Event(at, "out", "x") for at in seconds], typed, lasts)


def test_what_fits_goes_as_it_went_without_a_mark() -> None:
    found = pacing.fit(take(0.2, 1.5, 3, lasts=4), 8)
    assert found.events == (0.2, 1.5, 3)
    assert found.marks == ()


def test_a_long_wait_is_cut_and_the_picture_says_how_much() -> None:
    found = pacing.fit(take(0.2, 1.5, 135.5, 136, lasts=137), 8)
    assert found.events[:2] == (0.2, 1.5)
    assert max(found.events) <= 8 - pacing.HOLD
    assert found.mark(found.events[2]) == "2 min 11 s later"
    assert found.mark(1.6) == ""


def test_what_never_waits_is_lapsed_with_a_clock() -> None:
    found = pacing.fit(take(*(1 + one / 5 for one in range(1000)), lasts=201), 11.5)
    assert list(found.events) == sorted(found.events)
    assert max(found.events) <= 11.5 - pacing.HOLD
    assert found.mark(5.0).startswith("time-lapse × 22 ·")
    assert found.mark(11.0) == "after 3 min 20 s"
    assert found.mark(0.5) == ""


def test_the_end_of_a_silent_step_is_waited_for_too() -> None:
    found = pacing.fit(take(1.2, lasts=61), 6)
    assert "later" in "".join(text for _, _, text in found.marks) or found.marks[-1][2].startswith("after")


def test_what_cannot_fit_is_said_by_the_scenes_name() -> None:
    with pytest.raises(pacing.DoesNotFit, match="Scene x, step 1: its typing takes 5"):
        pacing.fit(take(0.1, typed=5, lasts=6), 6, where="Scene x, step 1")
    with pytest.raises(pacing.DoesNotFit, match="live"):
        pacing.fit(take(2, 30, lasts=31), 8, "live", where="Scene x, step 1")


def test_a_scene_that_does_not_fit_is_told_when_it_was_recorded() -> None:
    steps = (Step("card", "a", 1.0), Step("type", "b", 6.0), Step("type", "c", 6.0))
    found = [Take(seconds=1.0), take(1.0, typed=4.0, lasts=5.0), take(1.0, typed=5.2, lasts=5.5)]
    pacing.check(Scene("greeting", "A greeting", steps[:2]), found[:2])
    with pytest.raises(pacing.DoesNotFit, match=r"Scene greeting, step 3: its typing takes 5\.2 s of 6 s"):
        pacing.check(Scene("greeting", "A greeting", steps), found)
