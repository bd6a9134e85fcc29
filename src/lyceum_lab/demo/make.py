"""`./lyceum demo`: record the scenes, draw them, encode the film."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from lyceum_lab import paths, suites
from lyceum_lab.demo import film, record, stage, storyboard, takes
from lyceum_lab.demo.storyboard import Storyboard
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError

TARGET = paths.CHECKOUT / "docs" / "demo" / "demo.mp4"
DRAFT_RATE = 4  # pictures a second
PROGRAMS = ("chromium", "ffmpeg", "npm")


def make(scenes: list[str], *, port: int, draft: bool, keep: bool, only: str = "") -> None:
    """Make the film, or some scenes of it as a film of their own below .lyceum/demo.

    `keep` films the rehearsal that runs; `only` record, or draw what was recorded last.
    """
    board = storyboard.read().only(scenes)
    suites.require(PROGRAMS)
    work = paths.HOME / "demo"
    if only != "draw":
        _require_root()
        record.record(board, work / "takes", port=port, keep=keep, say=out.print)
    if only == "record":
        return
    with step("install the stage") as line:
        page = stage.install(work / "stage")
        line.note("xterm.js")
    with step("draw and encode the scenes") as line:
        parts = list(_parts(board, work, page, draft=draft, say=line.note))
    target = TARGET if not scenes and not draft else work / "demo.mp4"
    for one in film.write(target, board, parts):
        out.print(f"{one} is made, {one.stat().st_size / 2**20:.1f} MiB.")


def _parts(board: Storyboard, work: Path, page: Path, *, draft: bool, say: Callable[[str], None]) -> Iterator[Path]:
    """The film of each scene; one that was made of the very same is not made again."""
    rate = DRAFT_RATE if draft else stage.RATE
    every = [scene.name for scene in storyboard.read().scenes]
    (work / "parts").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=work, prefix="frames-") as frames,
        stage.opened(page, Path(frames) / "scene", board, rate) as shown,
    ):
        for scene, (begin, end, _) in zip(board.scenes, board.chapters(), strict=True):
            number, folder = every.index(scene.name) + 1, work / "takes" / scene.name
            found = [takes.Take() for _ in scene.steps] if scene.still else takes.read(folder)
            if found is None or len(found) != len(scene.steps):
                raise LyceumError(f"Scene {scene.name} was not recorded as it stands in the storyboard.", "Record it.")
            # Where it begins counts by the fraction of a frame only.
            sources = [scene, found, number, rate, round(begin * stage.RATE % 1, 3), film.VERSION, *stage.sources()]
            part = work / "parts" / f"{scene.name}-{sha256(repr(sources).encode()).hexdigest()[:16]}.mp4"
            say(scene.name)
            if not part.exists():
                shown.scene(number, (begin, end), scene, found, folder)
                film.encode(part, shown.frames, draft=draft)
            yield part


def _require_root() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise LyceumError("The demonstration rehearses the whole cloud, as root on Linux.", "Run it with sudo.")
