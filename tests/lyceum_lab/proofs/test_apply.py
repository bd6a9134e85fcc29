"""The parts of the proof of applying that decide by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.proofs.apply import Cut, Scissors


def event(kind: str, address: str) -> dict[str, Any]:
    return {"type": kind, "hook": {"resource": {"addr": address}}}


def test_an_apply_is_cut_only_while_all_that_has_begun_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    scissors = Scissors(wanted=2)
    scissors.hear(event("apply_start", "group"))
    scissors.hear(event("apply_start", "database"))
    now = 120.0
    # What waited for the group is begun by now, though nothing was said of it yet.
    scissors.hear(event("apply_complete", "group"))
    now = 122.0
    scissors.hear(event("apply_start", "server"))
    now = 124.0
    scissors.hear(event("apply_progress", "database"))
    now = 126.0
    with pytest.raises(Cut):
        scissors.hear(event("apply_progress", "database"))
