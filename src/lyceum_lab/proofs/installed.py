"""Tools of proofs that pin libraries of their own: each in an environment of its own, from a lock with hashes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from lyceum_ops.errors import MissingTool
from lyceum_ops.processes import die_with_parent


def install(name: str, lock: Path, tools: Path) -> Path:
    """The program `name` of the lock, installed once below `tools`. Raises MissingTool when that cannot be done."""
    home = tools / name
    binary, stamp = home / "bin" / name, home / ".lock"
    if binary.exists() and stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return binary
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    for argv in (
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--require-hashes", "-r", str(lock)],
    ):  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, check=False, preexec_fn=die_with_parent())
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise MissingTool(f"{name} could not be installed: {last}", "Check the network or PIP_INDEX_URL.")
    stamp.write_bytes(lock.read_bytes())
    return binary
