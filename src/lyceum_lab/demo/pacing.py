"""How recorded seconds become seconds of the film.

A step has its seconds from the storyboard. What was typed goes at the pace it was typed; what follows goes live if it
fits, else its longest waits are cut, and where nothing is a wait it is lapsed as a whole. Whatever is not live carries
a mark on the picture: how much was cut, or how fast time goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lyceum_lab.demo.storyboard import STILL, Scene
from lyceum_lab.demo.takes import Take
from lyceum_ops.errors import LyceumError

HOLD, BRIEFLY = 1.5, 0.2  # at the end of a step, its last picture stands so long; where nothing was typed, briefly
LEAST_GAP = 0.3  # a wait is cut to this and not further
NOTED = 2.0  # a cut of fewer seconds is a breath, not a wait
MARK_SECONDS = 1.6


class DoesNotFit(LyceumError):
    """A step has fewer seconds in the film than its typing alone took."""


@dataclass(frozen=True)
class Pace:
    """`events` are the film's seconds of the take's events, in their order; `marks` what the picture says of cuts."""

    events: tuple[float, ...]
    marks: tuple[tuple[float, float, str], ...]  # from, to, text

    def mark(self, at: float) -> str:
        """What is to be said at a second of the film's step."""
        return next((text for begin, end, text in reversed(self.marks) if begin <= at < end), "")


def fit(take: Take, seconds: float, pace: str = "", where: str = "") -> Pace:
    """The take within `seconds`. Raises DoesNotFit, naming `where`, if even the typing takes longer."""
    hold = HOLD if take.typed else BRIEFLY
    room = seconds - take.typed - hold
    if room < 0:
        raise DoesNotFit(f"{where}: its typing takes {take.typed:.1f} s of {seconds:g} s.", "Give it more seconds.")
    # The end of a step is an event too: a silence before it is a wait like any other.
    after = [event.at - take.typed for event in take.events if event.at > take.typed] + [take.seconds - take.typed]
    before = [event.at for event in take.events if event.at <= take.typed]
    if pace == "live" or (not pace and after[-1] <= room):
        if after[-1] > room + hold:
            raise DoesNotFit(f"{where}: it took {after[-1]:.0f} s, live, and has {room:.0f} s.", "Let it be cut.")
        return Pace((*before, *(take.typed + at for at in after[:-1])), ())
    cap = 0.0 if pace == "lapse" else _cap(after, room)
    if cap >= LEAST_GAP or (pace == "gaps" and cap):
        return _cut(before, after, take.typed, cap)
    return _lapse(before, after, take.typed, max(room, 0.1), seconds)


def check(scene: Scene, found: Sequence[Take]) -> None:
    """Raises DoesNotFit for a step of a recorded scene that has too few seconds: before anything is drawn."""
    for number, (step, take) in enumerate(zip(scene.steps, found, strict=True), 1):
        if step.action not in STILL:
            fit(take, step.seconds, step.pace, f"Scene {scene.name}, step {number}")


def _gaps(after: list[float]) -> list[float]:
    return [now - then for then, now in zip([0.0, *after], after, strict=False)]


def _cap(after: list[float], room: float) -> float:
    """How long no wait may be longer than, for all to fit; 0 if nothing helps."""
    gaps = _gaps(after)
    low, high = 0.0, max(gaps, default=0.0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(min(gap, middle) for gap in gaps) <= room else (low, middle)
    return low


def _cut(before: list[float], after: list[float], typed: float, cap: float) -> Pace:
    at, events, marks = typed, [], []
    for gap in _gaps(after):
        at += min(gap, cap)
        events.append(at)
        if gap - cap > NOTED:
            marks.append((at, at + MARK_SECONDS, f"{spoken(gap - cap)} later"))
    return Pace((*before, *events[:-1]), tuple(marks))


def _lapse(before: list[float], after: list[float], typed: float, room: float, seconds: float) -> Pace:
    """Everything faster by one factor, with a clock: what it shows is how much time has really passed."""
    factor = after[-1] / room
    events = (*before, *(typed + at / factor for at in after[:-1]))
    speed = f"{factor:.0f}" if factor >= 3 else f"{factor:.1f}"
    ticks = range(max(1, round(room * 2)))
    marks = [
        (typed + tick / 2, typed + (tick + 1) / 2, f"time-lapse × {speed} · {spoken(tick / 2 * factor)}")
        for tick in ticks
    ]
    marks.append((typed + len(ticks) / 2, seconds, f"after {spoken(after[-1])}"))
    return Pace(events, tuple(marks))


def spoken(seconds: float) -> str:
    """Seconds for people: 7 s, 2 min 14 s."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
