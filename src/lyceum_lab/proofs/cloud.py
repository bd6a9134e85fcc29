"""An emulated account of the proof's own, below its own folder, with a lock: bootstrapped, and the deployer become.

Whatever ends the proof, nothing of it stays: the processes die with it, the folder is emptied at its end and, after a
crash, at the next start.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lyceum_lab import paths, platform
from lyceum_lab.rehearsal import emulated, infrastructure, report, state
from lyceum_ops import processes, terraform
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError

MARK = "LYCEUM_PROOF"


@dataclass
class Cloud:
    """The account: where it answers, its roots as the deployer and as the administrator, and what was there before any
    environment."""

    folder: Path
    logs: Path
    endpoint: str
    emulator: subprocess.Popen[bytes]
    stack: infrastructure.Stack
    owner: infrastructure.Stack
    before: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def admin(self) -> infrastructure.Session:
        return self.owner.session()

    def resources(self) -> dict[str, dict[str, int]]:
        """What exists, by service and kind."""
        return report.resources(self.endpoint)


@dataclass(frozen=True)
class Bare:
    """An account in which nothing is yet: where it answers, and Terraform as its administrator."""

    folder: Path
    logs: Path
    endpoint: str
    emulator: subprocess.Popen[bytes]
    tool: terraform.Terraform


@contextmanager
def bare(name: str, *, enforce: bool = False) -> Iterator[Bare]:
    """An emulated account with nothing in it; with `enforce`, its policies decide (not over its administrator).

    Raises LyceumError when another proof of the name runs.
    """
    folder = paths.HOME / f"proof-{name}"
    paths.HOME.mkdir(parents=True, exist_ok=True)
    with (paths.HOME / f"proof-{name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LyceumError(f"The proof {name!r} runs already.", "Wait for it, or end it.") from None
        _clean(folder)
        logs = folder / "logs"
        logs.mkdir(parents=True)
        infrastructure.isolate()
        emulator: subprocess.Popen[bytes] | None = None
        try:
            env = {MARK: str(folder)}
            tool = terraform.Terraform.prepare(paths.TOOLS)
            with step("start an emulated AWS for this proof") as line:
                emulator, endpoint = emulated.start(logs, env, enforce=enforce)
                line.note(endpoint)
            tool = terraform.Terraform(
                tool.binary, tool.cli_config, {**env, **infrastructure.aws_environment(endpoint)}
            )
            yield Bare(folder, logs, endpoint, emulator, tool)
        except BaseException:
            _keep_logs(logs, name)
            raise
        finally:
            if emulator:
                platform.stop(emulator)
            _clean(folder)


@contextmanager
def account(name: str, *, enforce: bool = False) -> Iterator[Cloud]:
    """An emulated account with bootstrap applied; `enforce` and errors as of `bare`."""
    with bare(name, enforce=enforce) as empty:
        yield _bootstrapped(empty)


def _bootstrapped(empty: Bare) -> Cloud:
    owner = infrastructure.Stack(empty.tool, empty.folder / "work", empty.logs / "terraform.log")
    with step("apply infra/bootstrap, as the account's administrator"):
        owner.apply_bootstrap(lambda _: None, pipeline=True)
    infrastructure.prepare_account(owner.session())
    stack = infrastructure.Stack(empty.tool, empty.folder / "work", empty.logs / "terraform.log")
    stack.deployer = owner.deployer
    stack.become_deployer()
    cloud = Cloud(empty.folder, empty.logs, empty.endpoint, empty.emulator, stack, owner)
    cloud.before = cloud.resources()
    return cloud


def _keep_logs(logs: Path, name: str) -> None:
    """What explains a failure outlives it, until the next one of the same proof."""
    kept = paths.HOME / f"failed-{name}"
    if kept.exists():
        state.remove(kept)
    if logs.exists():
        os.replace(logs, kept)
        out.print(f"The logs of this proof are kept in {kept}.", markup=False)


def _clean(folder: Path) -> None:
    processes.end(processes.marked(MARK, str(folder)))
    if folder.exists():
        state.remove(folder)
