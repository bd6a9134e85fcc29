"""The control groups of the lab's machines: their bounds from outside, what they use, and a way to find all of theirs.

Written for cgroup v1, where each controller has a tree of its own; a controller that is not mounted bounds nothing,
and `bounded` says so. systemd-nspawn takes the machine's place from the tree without controllers (version 2) where
there is one, else from `name=systemd`: a machine has a group in each, so that no two systemds share one.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TREES = {"unified", "name=systemd", "memory", "cpu", "cpuacct"}
PERIOD = 100_000  # microseconds
WAYS_DOWN = 100  # looks at a group that is being ended


def _mounted() -> dict[str, Path]:
    """Where each controller of cgroup v1 is mounted, by its name; version 2 is `unified`."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup":
            found |= {name: Path(where) for name in options.split(",")}
        elif kind == "cgroup2":
            found["unified"] = Path(where)
    return found


def _own(controller: str) -> str:
    """This process's own group: what bounds it shall bound its machines."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in (names or "unified").split(","):
            return path.strip("/")
    return ""


def _family(folder: Path) -> str:
    return "lyceum-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def _roots(folder: Path) -> dict[str, Path]:
    """The group of all machines below `folder`, in each tree that there is."""
    found = {}
    for controller, where in _mounted().items():
        if controller in TREES:
            inside = where / _own(controller) if (where / _own(controller)).is_dir() else where
            found[controller] = inside / _family(folder)
    return found


@dataclass(frozen=True)
class Groups:
    """One machine's group in each tree."""

    paths: dict[str, Path]

    @staticmethod
    def make(folder: Path, name: str, *, memory_bytes: int, cpus: float) -> Groups:
        made = Groups({controller: root / name for controller, root in _roots(folder).items()})
        for path in made.paths.values():
            path.mkdir(parents=True, exist_ok=True)
        made._bound("memory", "memory.limit_in_bytes", memory_bytes)
        made._bound("cpu", "cpu.cfs_period_us", PERIOD)
        made._bound("cpu", "cpu.cfs_quota_us", round(cpus * PERIOD))
        return made

    def _bound(self, controller: str, file: str, value: int) -> None:
        if controller in self.paths:
            (self.paths[controller] / file).write_text(str(value))

    @property
    def bounded(self) -> set[str]:
        """What is bounded from outside: memory, cpu, both or neither."""
        return {"memory", "cpu"} & set(self.paths)

    def join(self) -> None:
        """Put the calling process into every tree; between fork and exec."""
        for path in self.paths.values():
            (path / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_seconds(self) -> float:
        """CPU time of all processes that ever were in it, in seconds."""
        if "cpuacct" in self.paths:
            return int((self.paths["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
        return int((self.paths["unified"] / "cpu.stat").read_text().split()[1]) / 1e6

    def pids(self) -> list[int]:
        """Every process in it now, systemd-nspawn included."""
        return sorted({pid for path in self.paths.values() for pid in _pids(path)})


def _pids(group: Path) -> list[int]:
    found = []
    for listed in (group / "cgroup.procs", *group.rglob("cgroup.procs")):
        with suppress(OSError):  # a group that just ended
            found += [int(line) for line in listed.read_text().split()]
    return sorted(set(found))


def clean(folder: Path, name: str = "") -> int:
    """Kill every process of the machine `name`, or of all below `folder`; remove the groups. Returns how many."""
    ended: set[int] = set()
    for root in _roots(folder).values():
        group = root / name if name else root
        for _ in range(WAYS_DOWN):
            if not (there := _pids(group)):
                break
            ended |= set(there)
            for pid in there:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for path in sorted([*group.rglob("*"), group], key=lambda path: len(path.parts), reverse=True):
            if path.is_dir():
                path.rmdir()
        with suppress(OSError):  # others live in it
            root.rmdir()
    return len(ended)
