"""The platform's own commands, as those who operate it run them: `manage.py` of a checkout, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def run(checkout: Path, env: Mapping[str, str], *words: str) -> tuple[str, int]:
    """What it said, and its exit code. `env` goes over this process's own."""
    done = subprocess.run(
        [sys.executable, str(checkout / "manage.py"), *words],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "src"), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


def last(said: str) -> str:
    """The last line of it."""
    return (said.strip().splitlines() or ["it said nothing"])[-1].strip()
