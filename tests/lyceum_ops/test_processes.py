"""Children end with their parent, ports are asked before they are used, and only what is marked is ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lyceum_ops import processes
from lyceum_ops.errors import LyceumError


def gone(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux's")
def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "from lyceum_ops.processes import die_with_parent\n"
        "child = subprocess.Popen(['sleep', '60'], preexec_fn=die_with_parent())\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(processes.__file__).parents[1])}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_a_port_in_use_is_named_and_a_free_one_passes() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LyceumError, match=r"Port \d+ is taken.*--port"):
            processes.require_port(taken.getsockname()[1])
    processes.require_port(processes.free_port())


def test_only_marked_processes_are_found_and_ended() -> None:
    mine = subprocess.Popen(["sleep", "60"], env={**os.environ, "LYCEUM_TEST_MARK": "a"})
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, "LYCEUM_TEST_MARK": "b"})
    try:
        time.sleep(0.2)
        assert processes.end(processes.marked("LYCEUM_TEST_MARK", "a")) == 1
        assert mine.poll() is not None
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_memory_of_a_process_is_positive_and_of_none_is_zero() -> None:
    assert processes.pss_mib(os.getpid()) > 5
    assert processes.pss_mib(2**22 - 1) == 0
