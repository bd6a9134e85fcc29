"""Draws the film picture by picture, on a page of 1920 × 1080 in Chromium; terminals by xterm.js, fed what was said.

A picture is drawn only when something on it changes; it stands until the next. All seconds are whole frames.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyceum_lab import paths
from lyceum_lab.demo import browser, pacing
from lyceum_lab.demo.storyboard import BROWSER, Caption, Scene, Step, Storyboard
from lyceum_lab.demo.takes import Event, Take
from lyceum_ops.errors import LyceumError

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

HERE = Path(__file__).parent / "stage"
FONTS = paths.CHECKOUT / "samples" / "studio" / "fonts"
RATE = 15  # frames a second
WIDTH, HEIGHT, ROOM = 1920, 1080, 880  # ROOM is between the title's bar and the captions'
COLUMNS, FONT = 118, 26.0
ROWS = {"main": 23, "side": 6}  # of 35.6 px
SIDE_HEIGHT = 250
RING_SECONDS = 0.5


def panes(scene: Scene) -> list[dict[str, Any]]:
    """Name, place and size in characters of a scene's terminals: one, or a large one above a small one."""
    upper = ROOM - (SIDE_HEIGHT if scene.panes > 1 else 0)
    rows = ROWS["main"] - (ROWS["side"] + 1 if scene.panes > 1 else 0)
    found = [{"name": "main", "top": 0, "height": upper, "rows": rows}]
    if scene.panes > 1:
        found.append({"name": "side", "top": upper, "height": SIDE_HEIGHT, "rows": ROWS["side"]})
    return [{**one, "columns": COLUMNS, "size": FONT} for one in found]


def install(folder: Path) -> Path:
    """The page with what it needs beside it, xterm.js from its locked package; its address as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "stage.html", "stage.css", "stage.js"):
        shutil.copy(HERE / name, folder / name)
    shutil.copytree(FONTS, folder / "fonts", dirs_exist_ok=True)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["npm said nothing"])[-1]
        raise LyceumError(f"xterm.js could not be installed: {last}", "Check the network, or npm's registry setting.")
    terminal = folder / "node_modules" / "@xterm" / "xterm"
    shutil.copy(terminal / "lib" / "xterm.js", folder)
    shutil.copy(terminal / "css" / "xterm.css", folder)
    return folder / "stage.html"


def sources() -> list[bytes]:
    """What a drawn scene is made of besides its takes and this code, whose changes `film.VERSION` tells."""
    return [file.read_bytes() for file in sorted(HERE.iterdir())]


@dataclass
class Frame:
    """A picture, and for how many frames it stands."""

    file: Path
    frames: int


@dataclass
class Film:
    """Draws scenes, each into a folder of its own; `frames` is what was drawn of the last one."""

    page: Page
    session: CDPSession
    folder: Path
    captions: list[Caption]
    rate: int = RATE  # pictures a second at most; fewer for a draft
    frames: list[Frame] = field(default_factory=list)
    at: float = 0.0  # where the film stands
    chapter: tuple[float, float] = (0.0, 1.0)

    def scene(self, number: int, chapter: tuple[float, float], scene: Scene, takes: list[Take], pictures: Path) -> None:
        """Draw one scene with its title; it stands in the film from and to the seconds of `chapter`."""
        self.frames, (self.at, _), self.chapter = [], chapter, chapter
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        state: dict[str, Any] = {"shown": "card", "card": {"number": str(number), "title": scene.title}}
        if scene.title_seconds:
            self._moments({0.0: state}, scene.title_seconds)
        title = f"{number} · {scene.title}"
        terminals = panes(scene)
        if any(event.kind == "out" for take in takes for event in take.events):
            self.page.evaluate("panes => window.panes(panes)", terminals)
        for index, (step, take) in enumerate(zip(scene.steps, takes, strict=True)):
            where = f"Scene {scene.name}, step {index + 1}"
            if step.action == "picture":
                self._picture(step, title)
            elif step.action == "card":
                text = step.more.get("text", "")
                self._moments({0.0: {"shown": "card", "card": {"title": step.value, "text": text}}}, step.seconds)
            elif step.action in BROWSER:
                self._browser(step, take, title, pictures, where)
            else:
                self._terminal(step, take, title, where)

    def _terminal(self, step: Step, take: Take, title: str, where: str) -> None:
        pace = pacing.fit(take, step.seconds, step.pace, where)
        written: dict[float, list[Event]] = {}
        for at, event in zip(pace.events, take.events, strict=True):
            # Letters that come a little later together are read as well, and are half as many pictures.
            written.setdefault(self._tick(at, 2), []).append(event)
        state = {"shown": "terminals", "title": title}
        self._moments({0.0: state} | dict.fromkeys(written, state), step.seconds, pace=pace, written=written)

    def _browser(self, step: Step, take: Take, title: str, pictures: Path, where: str) -> None:
        pace = pacing.fit(take, step.seconds, step.pace, where)
        states: dict[float, dict[str, Any]] = {}
        state: dict[str, Any] = {"shown": "shot", "title": title}
        clicked: tuple[float, list[float]] | None = None
        for at, event in zip(pace.events, take.events, strict=True):
            tick = self._tick(at)
            if event.kind == "image":
                state["shot"] = (pictures / event.value).as_uri()
            elif event.kind == "address":
                state["address"] = event.value.split("?")[0].replace("about:blank", "")
            else:
                place = [event.value[0] * browser.SCALE, event.value[1] * browser.SCALE]
                state["pointer"] = place
                if event.kind == "click":
                    clicked = (tick, place)
            states[tick] = dict(state)
        if clicked:
            for number in range(int(RING_SECONDS * self.rate)):
                tick = self._tick(clicked[0] + number / self.rate)
                behind = max((at for at in states if at <= tick), default=0.0)
                ring = [*clicked[1], round(1 - number / (RING_SECONDS * self.rate), 2)]
                states[tick] = {**states[behind], "ring": ring}
            after = self._tick(clicked[0] + RING_SECONDS + 1 / self.rate)
            behind = max((at for at in states if at <= after), default=0.0)
            states[after] = {key: value for key, value in states[behind].items() if key != "ring"}
        self._moments(states, step.seconds, pace=pace)

    def _picture(self, step: Step, title: str) -> None:
        self.page.evaluate("text => window.svg(text)", (paths.CHECKOUT / step.value).read_text(encoding="utf-8"))
        views = [(float(at), [float(one) for one in view]) for at, *view in step.more["views"]]
        states = {}
        for number in range(int(step.seconds * self.rate)):
            at = self._tick(number / self.rate)
            states[at] = {"shown": "picture", "title": title, "view": between(views, at)}
        still = {
            at: state
            for at, state in states.items()
            if at == 0.0 or state["view"] != between(views, at - 1 / self.rate)
        }
        self._moments(still, step.seconds)

    def _tick(self, at: float, frames: int = 1) -> float:
        """The next of the moments that lie so many frames apart."""
        return round(at * self.rate / frames) * frames / self.rate

    def _moments(
        self,
        states: dict[float, dict[str, Any]],
        seconds: float,
        *,
        pace: pacing.Pace | None = None,
        written: dict[float, list[Event]] | None = None,
    ) -> None:
        """Draw a step: each moment at which what is shown, said or marked changes."""
        said = {at for one in self.captions for at in (one.begin, one.end) if self.at <= at < self.at + seconds}
        moments = set(states) | {self._tick(at - self.at) for at in said}
        if pace:
            moments |= {self._tick(at) for begin, end, _ in pace.marks for at in (begin, end) if at < seconds}
        state = states[min(states)]
        ordered = sorted(at for at in moments if at < seconds - 0.5 / RATE)
        for at, following in zip(ordered, [*ordered[1:], seconds], strict=True):
            state = states.get(at, state)
            for event in (written or {}).get(at, ()):
                self.page.evaluate("([pane, text]) => window.write(pane, text)", [event.pane, event.value])
            now = self.at + at + 0.5 / RATE
            caption = next((one for one in self.captions if one.begin <= now < one.end), None)
            drawn = {
                **state,
                "caption": "\n".join(caption.lines) if caption else "",
                "mark": pace.mark(at + 0.5 / RATE) if pace else "",
                "done": (self.at + at - self.chapter[0]) / (self.chapter[1] - self.chapter[0]),
            }
            # Whole frames, counted from the film's beginning, so that nothing drifts.
            frames = round((self.at + following) * RATE) - round((self.at + at) * RATE)
            if frames > 0:
                self._shoot(drawn, frames)
        self.at += seconds

    def _shoot(self, state: dict[str, Any], frames: int) -> None:
        self.page.evaluate("state => window.draw(state)", state)
        shot = self.session.send("Page.captureScreenshot", {"format": "jpeg", "quality": 95, "optimizeForSpeed": True})
        file = self.folder / f"{len(self.frames):06d}.jpg"
        file.write_bytes(base64.b64decode(shot["data"]))
        self.frames.append(Frame(file, frames))


def between(views: list[tuple[float, list[float]]], at: float) -> list[float]:
    """The view at a second between those that are given: it sets out and arrives gently."""
    if at <= views[0][0]:
        return views[0][1]
    for (then, one), (later, other) in pairwise(views):
        if at <= later:
            part = (at - then) / (later - then)
            eased = part * part * (3 - 2 * part)
            return [round(a + (b - a) * eased, 1) for a, b in zip(one, other, strict=True)]
    return views[-1][1]


@contextmanager
def opened(page: Path, folder: Path, board: Storyboard, rate: int) -> Iterator[Film]:
    """A stage for one film; its pictures go into `folder`, scene by scene."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=browser.CHROMIUM,
            args=["--no-sandbox", "--hide-scrollbars", "--allow-file-access-from-files", "--font-render-hinting=none"],
        )
        try:
            context = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT})
            shown = context.new_page()
            faults: list[str] = []
            shown.on("pageerror", lambda error: faults.append(str(error)))
            shown.goto(page.as_uri())
            yield Film(shown, context.new_cdp_session(shown), folder, board.captions(), rate)
            if faults:
                raise LyceumError(f"The stage failed: {faults[0]}")
        finally:
            chromium.close()
