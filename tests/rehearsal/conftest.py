"""The command as its user runs it, in a home of its own, so that a rehearsal of the developer's is left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lyceum_ops import processes

CHECKOUT = Path(__file__).resolve().parents[2]


class Lyceum:
    """`./lyceum` with its own LYCEUM_HOME."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.argv = [str(CHECKOUT / "lyceum")]
        self.env = {**os.environ, "LYCEUM_HOME": str(home), "COLUMNS": "200"}

    def __call__(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CHECKOUT / "lyceum"), *arguments], env=self.env, capture_output=True, text=True, timeout=timeout
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(CHECKOUT / "lyceum"), *arguments],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.home / "rehearsal" / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def left_over(self) -> list[str]:
        """Names of processes that carry this home's mark."""
        return [p.name() for p in processes.marked("LYCEUM_REHEARSAL", str(self.home / "rehearsal"))]


@pytest.fixture(scope="session")
def home_root() -> Iterator[Path]:
    # Not below the checkout's .lyceum: what a user keeps there is none of the tests' business.
    folder = Path(tempfile.mkdtemp(prefix="lyceum-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lyceum(home_root: Path) -> Iterator[Lyceum]:
    command = Lyceum(Path(tempfile.mkdtemp(dir=home_root)))
    yield command
    command("down")
    assert command.left_over() == []


@pytest.fixture(scope="session")
def rehearsed(home_root: Path) -> Iterator[dict[str, Any]]:
    """One whole `./lyceum up --detach`, shared by every test that only uses it: what `status --json` says.

    For those who work on these tests, LYCEUM_TEST_HOME names the LYCEUM_HOME of one that runs already.
    """
    if running := os.environ.get("LYCEUM_TEST_HOME"):
        yield json.loads(Lyceum(Path(running))("status", "--json").stdout)
        return
    home = home_root / "whole"
    home.mkdir()
    command = Lyceum(home)
    done = command("up", "--detach", "--port", str(processes.free_port()), timeout=600)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        status = command("status", "--json")
        assert status.returncode == 0, status.stderr
        yield json.loads(status.stdout)
    finally:
        down = command("down", timeout=120)
    assert down.returncode == 0, down.stderr
    assert command.left_over() == []
    assert [path.name for path in home.iterdir()] == ["rehearsal.lock"]
