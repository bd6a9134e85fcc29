"""What --keep puts aside when a rehearsal of the cloud ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.cloud.rehearse import Rehearsal


def test_logs_consoles_and_files_are_there_when_everything_else_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "HOME", tmp_path)
    monkeypatch.setattr(paths, "REHEARSAL", tmp_path / "rehearsal")
    for name in ("logs/emulator.log", "servers/i-1/console.log", "files/note.txt", "state.json"):
        file = tmp_path / "rehearsal" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    rehearsal = Rehearsal(8000, keep=True)
    endings = dict(rehearsal._endings())
    assert list(endings) == ["what is kept"]
    endings["what is kept"]()
    (kept,) = tmp_path.glob("kept-*")
    assert sorted(str(one.relative_to(kept)) for one in kept.rglob("*") if one.is_file()) == [
        "files/note.txt", "logs/emulator.log", "logs/group.log", "logs/i-1.log",
    ]  # fmt: skip
    assert dict(Rehearsal(8000)._endings()) == {}
