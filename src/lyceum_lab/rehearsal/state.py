"""What is known of the running rehearsal: one JSON file, and a lock that lives as long as the supervisor does.

The lock decides whether a rehearsal runs: the kernel drops it when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from lyceum_lab import paths
from lyceum_ops import processes
from lyceum_ops.errors import LyceumError

# Carried by every process that a rehearsal starts, so that what a crash left can be told from anything else.
MARK = "LYCEUM_REHEARSAL"


@dataclass
class Account:
    """One sample account of the rehearsal; its password is made anew at every start."""

    role: str
    email: str
    password: str


@dataclass
class State:
    """A rehearsal as `status --json` shows it. `phase` is starting, ready or failed."""

    pid: int
    phase: str = "starting"
    url: str = ""
    emulator: str = ""
    environment: str = "dev"
    region: str = ""
    accounts: list[Account] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    infrastructure: str = "not applied yet"
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    error: str = ""
    cloud: dict[str, Any] = field(default_factory=dict)  # of `rehearse`: hosts, servers, the way in

    def write(self) -> None:
        """Keep it, readable by its owner only: it holds the sample accounts' passwords."""
        target = paths.REHEARSAL / "state.json"
        half = target.with_suffix(".part")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=1)
        half.replace(target)


def read() -> State | None:
    """The last state written, or None."""
    try:
        raw = json.loads((paths.REHEARSAL / "state.json").read_text())
        raw["accounts"] = [Account(**account) for account in raw["accounts"]]
        return State(**raw)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def running() -> State | None:
    """The state of the rehearsal that runs now, or None. Its pid is that of the lock's holder, always."""
    try:
        with paths.LOCK.open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = _holder()
        there = read()
        return there if there and there.pid == pid else State(pid=pid)
    except OSError:
        pass
    return None


def _holder() -> int:
    # Between taking the lock and writing the number lies an instant.
    for _ in range(20):
        text = paths.LOCK.read_text().strip()
        if text.isdigit():
            return int(text)
        time.sleep(0.05)
    raise LyceumError(f"{paths.LOCK} is held by a process that did not say which.", "Find it with fuser and end it.")


def take_lock() -> IO[str]:
    """Hold the lock until the process ends. Raises LyceumError when another rehearsal has it."""
    paths.REHEARSAL.mkdir(parents=True, exist_ok=True)
    handle = paths.LOCK.open("a+")
    for attempt in range(10):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A `status` that looks at the lock holds it for an instant.
            if attempt < 9:
                time.sleep(0.05)
            continue
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        return handle
    handle.close()
    there = read()
    where = f" at {there.url}" if there and there.url else ""
    raise LyceumError(
        f"A rehearsal is already running{where}.", "See it with ./lyceum status, end it with ./lyceum down."
    )


def clean() -> int:
    """End what an earlier rehearsal left running and remove its files. Returns the number of processes ended."""
    from lyceum_lab.cloud import leftovers  # which knows the folder's state itself

    ended = processes.end(processes.marked(MARK, str(paths.REHEARSAL))) + leftovers.clean(paths.REHEARSAL)
    with suppress(FileNotFoundError):
        for entry in paths.REHEARSAL.iterdir():
            # The logs stay until the next start: they are what explains a failure.
            if entry.name == "logs":
                continue
            remove(entry)
    return ended


def remove(path: Path) -> None:
    """Delete a file or a tree that the rehearsal made."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
