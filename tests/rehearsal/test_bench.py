"""The benchmark measures the whole rehearsal as somebody would who plans for a school."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.conftest import Lyceum

pytestmark = pytest.mark.e2e


def test_each_kind_is_measured_and_learners_follow(rehearsed: dict[str, Any], home_root: Path) -> None:
    command = Lyceum(Path(os.environ.get("LYCEUM_TEST_HOME") or home_root / "whole"))
    done = command("bench", "--requests", "20", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("health check", "catalogue", "course page", "lesson page", "report"):
        assert kind in done.stdout
    assert "one core of this machine bears" in done.stdout
    assert rehearsed["phase"] == "ready"
