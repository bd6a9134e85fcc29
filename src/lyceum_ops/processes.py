"""Child processes that never outlive their work.

Linux ends a child when the thread that started it ends (PR_SET_PDEATHSIG), so that even `kill -9` of the command
leaves nothing behind. Elsewhere, the orderly ends are all there is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import psutil

from lyceum_ops.errors import LyceumError

_PR_SET_PDEATHSIG = 1
# Ctrl-C, an orderly end, a terminal that is closed: however a command is asked to end.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def handling(handler: Callable[[int, FrameType | None], Any], *numbers: signal.Signals) -> Iterator[None]:
    """Have these signals handled so while the block lasts. Beside the main thread Python gives nobody the right to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def die_with_parent(with_signal: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `with_signal` to the child when its starting thread ends."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def before_exec() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent went away in between
            os._exit(1)

    return before_exec


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_port(port: int) -> None:
    """Raise LyceumError when `port` on 127.0.0.1 cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise LyceumError(f"Port {port} needs root.", "Choose one above 1023 with --port.") from error
        except OSError as error:
            raise LyceumError(f"Port {port} is taken by another program.", "Choose another with --port.") from error


def pss_mib(pid: int) -> float:
    """Proportional set size of a process and all its descendants, in MiB; 0 when it is gone."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                info = one.memory_full_info()
                total += getattr(info, "pss", info.rss)
    return total / 2**20


def marked(name: str, value: str) -> list[psutil.Process]:
    """Every process, but this one and its ancestors, whose environment carries `name=value`."""
    mine = {os.getpid(), *(p.pid for p in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in mine:
            continue
        with suppress(psutil.Error, OSError):
            if process.environ().get(name) == value:
                found.append(process)
    return found


def end(processes: list[psutil.Process], *, patience: float = 5.0) -> int:
    """Terminate, then kill after `patience` seconds, exactly these processes. Returns how many there were."""
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=patience)
    return len(processes)
