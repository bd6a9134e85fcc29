"""What the suites make of checks that pass, fail, skip, say nothing, or never end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lyceum_lab import paths, suites
from lyceum_lab.suites import Check, Count, Suite

Run = Callable[..., tuple[int, str]]
# It starts another that outlives an interrupt, says so, and waits on a thread that nobody tells to end.
HANGS = """
import subprocess, sys, threading
child = subprocess.Popen([sys.executable, "-c", "import signal,time; signal.signal(2, signal.SIG_IGN); time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid))
print("1 passed, 0 failed", flush=True)
threading.Thread(target=threading.Event().wait).start()
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Suites of these checks, run by their names; returns the exit code and what was said."""
    monkeypatch.setattr(suites, "_install_tools", lambda: None)
    monkeypatch.setattr(suites, "GRACE", 1.0)

    def one(*made: Suite) -> tuple[int, str]:
        monkeypatch.setattr(suites, "SUITES", made)
        monkeypatch.setattr(suites, "GROUPS", {})
        code = suites.run([suite.name for suite in made])
        return code, capfd.readouterr().out

    return one


def runs(pid: int) -> bool:
    """Whether there is such a process, and not just its exit code that nobody asked for."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def suite(name: str, code: str, *argv: str, counts: bool = False, budget: int = 20) -> Suite:
    return Suite(name, "", budget, (Check(name, (sys.executable, "-c", code, *argv), counts=counts),))


@pytest.mark.parametrize("counts", [False, True])
def test_what_hangs_is_ended_with_all_it_started_and_the_next_goes_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, counts: bool
) -> None:
    monkeypatch.setattr(Suite, "limit", 2)
    kept = tmp_path / "pid"
    began = time.monotonic()
    code, said = run(suite("hangs", HANGS, str(kept), counts=counts), suite("next", "print('next is run')"))
    assert code == 1
    assert "hangs has not ended after 2 s, and is ended" in said
    assert "next is run" in said
    assert ", 1 failed, 0 skipped" in said.splitlines()[-1]
    assert time.monotonic() - began < 15
    assert not runs(int(kept.read_text()))


def test_a_proof_counts_as_its_closing_line_says(run: Run) -> None:
    code, said = run(suite("proof", "print('3 passed, 0 failed, 1 skipped')", counts=True))
    assert (code, said.splitlines()[-1]) == (0, "3 passed, 0 failed, 1 skipped")


@pytest.mark.parametrize(
    "code",
    [
        "print('3 passed, 1 failed')",
        "print('0 passed, 0 failed')",
        "print('it ended early')",
        "print('3 passed, 0 failed'); raise SystemExit(1)",
    ],
)
def test_a_proof_that_keeps_nothing_or_ends_without_its_line_failed(run: Run, code: str) -> None:
    ended, said = run(suite("proof", code, counts=True))
    assert ended == 1
    assert ", 1 failed, " in said.splitlines()[-1]


def test_what_is_missing_is_skipped_by_a_person_and_fails_in_ci(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "_have", lambda program: False)
    lacking = Suite("lacking", "", 20, (Check("lacking", ("true",), needs=("haproxy",)),))
    monkeypatch.delenv("CI", raising=False)
    assert run(lacking)[1].splitlines()[-1] == "0 passed, 0 failed, 1 skipped"
    monkeypatch.setenv("CI", "true")
    code, said = run(lacking)
    assert (code, said.splitlines()[-1]) == (1, "0 passed, 1 failed, 0 skipped")


def test_what_is_counted_adds_up() -> None:
    count = Count(1, 2, 3)
    count.add(Count(10, 20, 30))
    assert count == Count(11, 22, 33)


def test_suites_beside_the_others_are_shown_in_their_turn_and_counted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is a script of this test's: it says which suite it was asked for, and when."""
    command = tmp_path / "lyceum"
    command.write_text(
        f'#!/bin/sh\necho "$2" >>{tmp_path}/order\n[ "$2" = slow ] && sleep 1\n'
        'echo "$2 is run"\n[ "$2" = bad ] && { echo "1 passed, 2 failed, 0 skipped"; exit 1; }\n'
        'echo "5 passed, 0 failed, 0 skipped"\n'
    )
    command.chmod(0o755)
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    code, said = run(
        Suite("slow", "", 20, lane="one"), Suite("bad", "", 20, lane="one"), suite("here", "print('here is run')"),
        Suite("other", "", 20, lane="two"),
    )  # fmt: skip
    lines = said.splitlines()
    assert code == 1
    assert lines[-1] == "12 passed, 2 failed, 0 skipped"
    shown = [line for line in lines if line.endswith("is run")]
    assert shown == ["slow is run", "bad is run", "here is run", "other is run"]
    order = (tmp_path / "order").read_text().split()
    assert order.index("bad") > order.index("slow")  # one after the other in a lane
    assert order.index("other") < order.index("bad")  # and lanes beside each other
