"""What the rehearsal does when its day is bad. Each case ends with one clear line, a non-zero code and nothing left."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from tests.rehearsal.conftest import Lyceum

from lyceum_ops.processes import free_port

pytestmark = pytest.mark.rehearsal


def until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


def one_line(done: subprocess.CompletedProcess[str], pattern: str) -> None:
    assert done.returncode != 0
    assert re.search(pattern, done.stderr), done.stderr
    assert done.stderr.startswith("lyceum: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port_is_named(lyceum: Lyceum, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one_line(lyceum(command, "--port", str(taken.getsockname()[1])), "is taken.*--port")


@pytest.mark.parametrize(
    "arguments", [["up", "--bogus"], ["rehears"], ["up", "--port", "99999"], ["test", "nope"], ["logs", "nope"]]
)
def test_a_wrong_word_on_the_command_line_is_named(lyceum: Lyceum, arguments: list[str]) -> None:
    one_line(lyceum(*arguments), "bogus|rehears|--port|nope|no logs")


@pytest.mark.parametrize("group", ["drill", "restore", "tunnel", "prove"])
def test_a_group_without_its_command_shows_its_help_and_no_more(lyceum: Lyceum, group: str) -> None:
    done = lyceum(group)
    assert (done.returncode, done.stderr) == (2, "")
    assert f"Usage: ./lyceum {group}" in done.stdout


def test_without_a_rehearsal_status_and_down_say_so(lyceum: Lyceum) -> None:
    one_line(lyceum("status"), "No rehearsal runs")
    one_line(lyceum("bench"), "There is no ./lyceum up to measure")
    down = lyceum("down")
    assert down.returncode == 0
    assert "nothing of one was left" in down.stdout


def test_a_second_up_is_refused_and_ctrl_c_is_a_clean_down(lyceum: Lyceum) -> None:
    first = lyceum.start("up", "--port", str(free_port()))
    until(lambda: lyceum.state().get("emulator"))
    one_line(lyceum("up", "--port", str(free_port())), "already running.*down")
    one_line(lyceum("up", "--detach", "--port", str(free_port())), "already running.*down")
    os.kill(first.pid, signal.SIGINT)
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 0
    assert "taking the rehearsal down" in output
    assert lyceum.left_over() == []


def test_kill_9_leaves_no_process_and_the_next_command_cleans_the_files(lyceum: Lyceum) -> None:
    supervisor = lyceum.start("up", "--port", str(free_port()))
    until(lambda: "postgres" in lyceum.state().get("pids", {}))
    assert lyceum.left_over()
    supervisor.kill()
    supervisor.communicate()
    until(lambda: lyceum.left_over() == [], 30)
    assert lyceum("down").returncode == 0
    assert not (lyceum.home / "rehearsal").exists()


def test_a_killed_emulator_takes_everything_down_with_a_reason(lyceum: Lyceum) -> None:
    supervisor = lyceum.start("up", "--port", str(free_port()))
    until(lambda: "postgres" in lyceum.state().get("pids", {}))
    os.kill(lyceum.state()["pids"]["emulator"], signal.SIGKILL)
    output, _ = supervisor.communicate(timeout=90)
    assert supervisor.returncode == 1
    assert "The emulator of the rehearsal ended" in output or "infra/" in output or "terraform" in output
    assert "Traceback" not in output
    assert lyceum.left_over() == []
    one_line(lyceum("status"), "The last one failed")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_said_before_anything_starts(lyceum: Lyceum) -> None:
    small: Path = lyceum.home / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=True)
    try:
        there = Lyceum(small)
        one_line_in = there("up", "--port", str(free_port()))
        one_line(one_line_in, r"Only 0\.0 GiB are free")
        assert there.left_over() == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_down_in_the_first_moment_of_an_up_ends_that_up_and_no_other(lyceum: Lyceum) -> None:
    """The state still tells of an earlier rehearsal, whose number may be a stranger's by now."""
    stranger = subprocess.Popen(["sleep", "60"])
    holder = subprocess.Popen(
        ["python3", "-c", HOLD, str(lyceum.home / "rehearsal.lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        (lyceum.home / "rehearsal").mkdir()
        (lyceum.home / "rehearsal" / "state.json").write_text(
            f'{{"pid": {stranger.pid}, "phase": "failed", "accounts": []}}'
        )
        assert lyceum("down").returncode == 0
        assert holder.wait(timeout=5) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        holder.kill()
        holder.communicate()
        stranger.kill()
        stranger.wait()


HOLD = """
import fcntl, os, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(str(os.getpid()))
file.flush()
print("held", flush=True)
time.sleep(60)
"""


def test_a_killed_server_takes_its_workers_along(lyceum: Lyceum, tmp_path: Path) -> None:
    lyceum.env["LYCEUM_VAR_DIR"] = str(tmp_path / "var")
    port = free_port()
    serve = lyceum.start("serve", "--port", str(port))
    until(lambda: "answers at" in (serve.stdout.readline() if serve.stdout else ""))
    server = next(child for child in psutil.Process(serve.pid).children() if "granian" in " ".join(child.cmdline()))
    workers = server.children()
    assert workers
    server.kill()
    serve.communicate(timeout=20)
    assert serve.returncode == 1
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_serving_onto_a_full_disk_is_one_line(lyceum: Lyceum, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)], check=True)
    try:
        lyceum.env["LYCEUM_VAR_DIR"] = str(small)
        one_line(lyceum("serve", "--port", str(free_port())), "disk is full|No space left|Free some disk space")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_terraform_that_is_too_old_is_named_when_no_newer_can_be_fetched(lyceum: Lyceum, tmp_path: Path) -> None:
    old = tmp_path / "terraform"
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.5.7"}\'\n')
    old.chmod(0o755)
    lyceum.env["PATH"] = f"{tmp_path}:{lyceum.env['PATH']}"
    lyceum.env["LYCEUM_TERRAFORM_RELEASES"] = "http://127.0.0.1:9"
    one_line(lyceum("up", "--port", str(free_port())), r"1\.5\.7 on the PATH is older.*Install Terraform 1\.11")


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    """The launcher alone, in an empty folder with a PATH that holds an old Python."""
    launcher = Path(__file__).resolve().parents[2] / "lyceum"
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "lab.txt").write_text("")
    (tmp_path / "lyceum").write_text(launcher.read_text())
    (tmp_path / "lyceum").chmod(0o755)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "readlink", "cmp", "rm", "tail", "cp"):
        source = next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists())
        (tools / name).symlink_to(source)
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    done = subprocess.run(
        [str(tmp_path / "lyceum"), "--help"], env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()
