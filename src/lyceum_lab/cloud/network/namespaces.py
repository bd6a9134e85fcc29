"""Network namespaces by name: made, entered, and removed with all that is in them.

Each name begins with the key of the folder it belongs to, so that what a crash left is found, and nobody else's is
ever touched.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool

HELD = Path("/run/netns")  # where ip(8) keeps the names
_CLONE_NEWNET = 0x40000000
T = TypeVar("T")


@dataclass(frozen=True)
class Namespace:
    """One of them: a host of its own, as far as the network goes."""

    name: str

    @property
    def path(self) -> Path:
        return HELD / self.name

    @property
    def prefix(self) -> list[str]:
        """Put before a command, it runs in here."""
        return ["nsenter", f"--net={self.path}", "--"]

    def ip(self, *lines: str) -> None:
        """Carry out commands of ip(8) in here. Raises CommandFailed."""
        ip(*lines, inside=self.name)

    def nft(self, rules: str) -> None:
        """Load a set of rules in one transaction: all of it or nothing. Raises CommandFailed."""
        _run([*self.prefix, "nft", "-f", "-"], rules)

    def set(self, *values: str) -> None:
        """Set values of sysctl(8) in here, as `net.ipv4.ip_forward=1`."""
        _run([*self.prefix, "sysctl", "-q", "-w", *values])

    def enter(self, work: Callable[[], T]) -> T:
        """Call `work` in a thread that is in here; sockets that it makes stay in here. Raises what it raises."""
        done: list[T] = []
        failed: list[BaseException] = []

        def inside() -> None:
            try:
                _enter(self.path)
                done.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=inside, name=self.name)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return done[0]


def key(folder: Path) -> str:
    """What the names of a folder's namespaces begin with."""
    return f"lyceum-{hashlib.blake2s(str(folder.resolve()).encode(), digest_size=3).hexdigest()}-"


def create(names: Iterable[str]) -> None:
    """Make namespaces, with their loopback up and IPv6 off. Raises CommandFailed when a name is taken."""
    made = list(names)
    ip(*(f"netns add {name}" for name in made))
    for name in made:
        Namespace(name).ip("link set lo up")
        Namespace(name).set("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


def remove(names: Iterable[str]) -> None:
    """Remove namespaces. What still runs in one keeps it alive unnamed: end that first."""
    if gone := [f"netns del {name}" for name in names]:
        ip(*gone)


def left(prefix: str) -> list[str]:
    """The names that there are with this beginning."""
    return sorted(path.name for path in HELD.glob(f"{prefix}*")) if HELD.exists() else []


def require() -> None:
    """Raise what a person can act on when this machine has no namespaces, filters, or no right to them."""
    if not sys.platform.startswith("linux"):
        raise LyceumError("The cloud on one machine needs Linux: it is made of network namespaces.", "Use ./lyceum up.")
    if os.geteuid() != 0:
        raise LyceumError("The cloud on one machine needs root: it makes network namespaces.",
                          "Run it with sudo, or use ./lyceum up, which needs no root.")  # fmt: skip
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux"), ("sysctl", "procps")):
        if not shutil.which(program):
            raise MissingTool(f"{program} is not here.", f"Install it: apt-get install {package}.")
    name = f"lyceum-trial-{os.getpid()}"
    try:
        create([name])
        try:
            Namespace(name).nft("table ip t { chain c { type filter hook input priority 0; ct state new accept; }; }")
        finally:
            remove([name])
    except CommandFailed as error:
        raise LyceumError(f"This kernel gives no network namespaces with nftables: {error.message}",
                          "Give the container the right to (privileged), or use ./lyceum up.") from error  # fmt: skip


def ip(*lines: str, inside: str = "") -> None:
    """Carry out commands of ip(8) in one go. Raises CommandFailed."""
    where = ["-n", inside] if inside else []
    _run(["ip", *where, "-batch", "-"], "".join(f"{line}\n" for line in lines))


def _run(argv: Sequence[str], text: str = "") -> None:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        program = next(word for word in argv if word in {"ip", "nft", "sysctl"})
        raise CommandFailed(f"{program} failed: {said}", errors=tuple(done.stderr.strip().splitlines()))


def _enter(path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(held, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot enter", str(path))
    finally:
        os.close(held)
