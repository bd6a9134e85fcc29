"""`./lyceum demo`: record the scenes, draw them, encode the film."""

from __future__ import annotations

import os
import sys

from lyceum_lab import paths, suites
from lyceum_lab.demo import film, record, stage, storyboard, takes
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError

TARGET = paths.CHECKOUT / "docs" / "demo" / "demo.mp4"
DRAFT_RATE = 4  # pictures a second
PROGRAMS = ("chromium", "ffmpeg", "npm")


def make(scenes: list[str], *, port: int, draft: bool, keep: bool, drawn: bool) -> None:
    """Make the film, or some scenes of it as a film of their own below .lyceum/demo.

    `keep` films the rehearsal that runs; `drawn` records nothing and draws what was recorded last.
    """
    board = storyboard.read().only(scenes)
    suites.require(PROGRAMS)
    work = paths.HOME / "demo"
    if not drawn:
        _require_root()
        record.record(board, work / "takes", port=port, keep=keep, say=out.print)
    with step("install the stage") as line:
        page = stage.install(work / "stage")
        line.note("xterm.js")
    whole = not scenes and not draft
    with (
        step("draw the film") as line,
        stage.opened(page, work / "frames", board, DRAFT_RATE if draft else stage.RATE) as shown,
    ):
        every = [scene.name for scene in storyboard.read().scenes]
        for scene in board.scenes:
            there = work / "takes" / scene.name
            found = [takes.Take() for _ in scene.steps] if scene.still else takes.read(there)
            if found is None or len(found) != len(scene.steps):
                raise LyceumError(f"Scene {scene.name} was not recorded as it stands in the storyboard.", "Record it.")
            shown.scene(every.index(scene.name) + 1, scene, found, there)
            line.note(f"{scene.name}, {len(shown.frames)} pictures")
    target = TARGET if whole else work / "demo.mp4"
    with step("encode the film") as line:
        made = film.write(target, board, shown.frames, draft=draft)
        line.note(f"{made[0].stat().st_size / 2**20:.1f} MiB")
    for one in made:
        out.print(f"{one} is made.")


def _require_root() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise LyceumError("The demonstration rehearses the whole cloud, as root on Linux.", "Run it with sudo.")
