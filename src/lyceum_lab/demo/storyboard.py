"""The film on paper: scenes of steps, each with the seconds it has, what is done in it, what is expected and said.

Reality has to fit into those seconds (`pacing`), so that length, chapters and captions follow from the file alone. A
storyboard that nobody could read in time, or that says too much at once, is refused before anything is recorded.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lyceum_lab import paths
from lyceum_ops.errors import LyceumError

FILE = paths.CHECKOUT / "docs" / "demo" / "storyboard.yaml"
TITLE_SECONDS = 1.8  # a chapter's title stands alone for so long
GAP = 0.1  # between two captions
LINE_CHARS, LINES = 84, 2
FASTEST = 20  # characters a second, spaces included; the BBC's subtitle guide aims at about 15-17 and bears 20
SHORTEST = 1.5  # seconds of a caption
# What a step does: exactly one of these.
TERMINAL = ("type", "start", "watch", "interrupt", "clear")
BROWSER = ("open", "click", "fill", "play", "look")
STILL = ("picture", "card")
PLACEHOLDER = re.compile(r"(?<![%$])\{([a-z_]+)\}")


class NotThatWay(LyceumError):
    """The storyboard asks for what cannot be filmed or read."""


@dataclass(frozen=True)
class Step:
    """One thing done. `seconds` is its time in the film, `captions` what is said: (second within the step, text)."""

    action: str
    value: str
    seconds: float
    captions: tuple[tuple[float, str], ...] = ()
    expect: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)
    within: float = 60
    pane: str = "main"
    pace: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """A chapter. `needs` names what must run: nothing, a rehearsal; `ends` says that it runs no more afterwards."""

    name: str
    title: str
    steps: tuple[Step, ...]
    rehearsal: bool = False
    ends: bool = False
    title_seconds: float = TITLE_SECONDS
    panes: int = 1
    before: tuple[str, ...] = ()

    @property
    def still(self) -> bool:
        """Whether nothing of it has to be recorded."""
        return all(step.action in STILL for step in self.steps)

    @property
    def seconds(self) -> float:
        """How long the chapter is, its title included."""
        return round(self.title_seconds + sum(step.seconds for step in self.steps), 3)


@dataclass(frozen=True)
class Caption:
    """A caption of the film: from when to when, in seconds, and its lines."""

    begin: float
    end: float
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it says, in one line."""
        return " ".join(self.lines)


@dataclass(frozen=True)
class Storyboard:
    """The scenes in their order."""

    scenes: tuple[Scene, ...]

    @property
    def seconds(self) -> float:
        """How long the film is."""
        return round(sum(scene.seconds for scene in self.scenes), 3)

    def only(self, names: list[str]) -> Storyboard:
        """Some scenes, in the film's order. Raises NotThatWay for one that is not there."""
        known = [scene.name for scene in self.scenes]
        for name in names:
            if name not in known:
                raise NotThatWay(f"There is no scene named {name!r}.", f"There are: {', '.join(known)}.")
        return Storyboard(tuple(scene for scene in self.scenes if scene.name in names)) if names else self

    def chapters(self) -> list[tuple[float, float, str]]:
        """(from, to, title) of each scene, in seconds."""
        found, at = [], 0.0
        for scene in self.scenes:
            found.append((at, round(at + scene.seconds, 3), scene.title))
            at = round(at + scene.seconds, 3)
        return found

    def captions(self) -> list[Caption]:
        """What is said, in the film's time."""
        return list(_captions(self))


def read(file: Path = FILE) -> Storyboard:
    """The storyboard in a file. Raises NotThatWay with everything that is wrong with it."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        scenes = tuple(_scene(one) for one in found["scenes"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise NotThatWay(f"{file.name} cannot be read: {error!r}.") from error
    board = Storyboard(scenes)
    if wrong := list(problems(board)):
        raise NotThatWay(f"{file.name}: " + "; ".join(wrong) + ".")
    return board


def _scene(found: dict[str, Any]) -> Scene:
    steps = tuple(_step(found["name"], one) for one in found.pop("steps"))
    return Scene(**{**found, "steps": steps, "before": tuple(found.get("before", ()))})


def _step(scene: str, found: dict[str, Any]) -> Step:
    known = [*TERMINAL, *BROWSER, *STILL]
    actions = [key for key in found if key in known]
    if len(actions) != 1:
        raise ValueError(f"scene {scene}: a step does one of {', '.join(known)}, this one {actions}")
    said = found.pop("say", [])
    captions = [(0.0, said)] if isinstance(said, str) else [(float(at), text) for at, text in said]
    own: dict[str, Any] = {key: found.pop(key) for key in ("within", "pane", "pace") if key in found}
    code = found.pop("code", 0)
    own["codes"] = tuple(code) if isinstance(code, list) else (code,)
    lists: dict[str, Any] = {key: tuple(_listed(found.pop(key, ()))) for key in ("expect", "never")}
    action, seconds = actions[0], float(found.pop("seconds"))
    value = str(found.pop(action) or "")
    return Step(action, value, seconds, tuple(captions), **lists, **own, more=found)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _captions(board: Storyboard) -> Iterator[Caption]:
    """Each stands until the next of its scene, or until the scene ends; an empty one only ends the one before."""
    for scene, (begins, ends, _) in zip(board.scenes, board.chapters(), strict=True):
        at, cues = begins + scene.title_seconds, []
        for step in scene.steps:
            cues += [(at + begin, text) for begin, text in step.captions]
            at += step.seconds
        for (begin, text), following in zip(cues, [*(at for at, _ in cues[1:]), ends], strict=False):
            if text:
                yield Caption(round(begin, 3), round(following - GAP, 3), _lines(text))


def _lines(text: str) -> tuple[str, ...]:
    """At most as wide as the picture; two lines of about the same length read best."""
    lines = textwrap.wrap(text, LINE_CHARS)
    if len(lines) == LINES:
        tries = (textwrap.wrap(text, width) for width in range(30, LINE_CHARS + 1))
        lines = min(tries, key=lambda wrapped: (len(wrapped) != LINES, max(map(len, wrapped))))
    return tuple(lines)


def problems(board: Storyboard) -> Iterator[str]:
    """What is wrong with a storyboard, in words."""
    names = [scene.name for scene in board.scenes]
    if len(set(names)) != len(names):
        yield "two scenes have one name"
    for scene in board.scenes:
        for step in scene.steps:
            where = f"scene {scene.name}, {step.action} {step.value[:40]!r}"
            if step.pace not in {"", "live", "gaps", "lapse"}:
                yield f"{where}: there is no pace {step.pace!r}"
            for pattern in (*step.expect, *step.never):
                try:
                    re.compile(PLACEHOLDER.sub("x", pattern))
                except re.error as error:
                    yield f"{where}: {pattern!r} is no pattern: {error}"
            if step.action in {"type", "watch", "look"} and not step.expect:
                yield f"{where}: nothing is expected of it, so that it could not fail"
            if any(not 0 <= begin < step.seconds for begin, _ in step.captions):
                yield f"{where}: a caption begins outside of it"
            if list(step.captions) != sorted(step.captions, key=lambda caption: caption[0]):
                yield f"{where}: its captions are not in their order"
    before = 0.0
    for caption in board.captions():
        lasts = caption.end - caption.begin
        where = f"caption {caption.text[:40]!r} at {caption.begin:.1f} s"
        if caption.begin < before:
            yield f"{where}: begins before the last one has ended"
        if len(caption.lines) > LINES:
            yield f"{where}: {len(caption.lines)} lines of {LINE_CHARS} characters, {LINES} fit"
        if lasts < SHORTEST:
            yield f"{where}: stands for {lasts:.1f} s only"
        elif len(caption.text) / lasts > FASTEST:
            yield f"{where}: {len(caption.text) / lasts:.0f} characters a second, {FASTEST} can be read"
        before = caption.end


def webvtt(captions: list[Caption]) -> str:
    """The captions as WebVTT."""
    blocks = ["WEBVTT"]
    blocks += [f"{_stamp(one.begin)} --> {_stamp(one.end)}\n" + "\n".join(_escaped(one.lines)) for one in captions]
    return "\n\n".join(blocks) + "\n"


def _escaped(lines: tuple[str, ...]) -> Iterator[str]:
    for line in lines:
        yield line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(seconds: float) -> str:
    minutes, millis = divmod(round(seconds * 1000), 60_000)
    return f"{minutes:02d}:{millis // 1000:02d}.{millis % 1000:03d}"
