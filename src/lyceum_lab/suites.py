"""`./lyceum test`: the suites by name, each with its time budget, and one counted line at the end.

A suite is a list of checks. A check is either a pytest run, which counts its own tests, or a tool that passes or
fails as a whole and counts as one. What a machine lacks is installed when that is allowed (root on Debian or Ubuntu)
and otherwise skipped, loudly, and counted; with CI set in the environment nothing is skipped: it fails.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from lyceum_lab import paths
from lyceum_lab.rehearsal import postgres
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError, MissingTool, Usage

BIN = paths.CHECKOUT / ".venv" / "bin"
LOCK = paths.CHECKOUT / "requirements" / "dev.txt"


@dataclass
class Count:
    """Outcomes of checks."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


@dataclass(frozen=True)
class Check:
    """One thing that is run: a tool (`argv`), or pytest with these arguments.

    A tool counts as one check, a proof (`counts`) as many as its closing line says.
    """

    name: str
    argv: tuple[str, ...]
    pytest: bool = False
    counts: bool = False
    full: tuple[str, ...] = ()  # arguments in place of these when everything is wanted
    needs: tuple[str, ...] = ()  # programs that Debian has as packages
    postgres: bool = False  # on an embedded PostgreSQL in place of SQLite
    root: bool = False  # makes namespaces


@dataclass(frozen=True)
class Suite:
    """A name, what it shows, how many seconds it may take on 2 cores, and its checks."""

    name: str
    shows: str
    budget: int
    checks: tuple[Check, ...] = field(default_factory=tuple)
    lane: str = ""  # it mostly waits: it goes on beside the others, after those before it in the same lane

    @property
    def limit(self) -> int:
        """Seconds after which one of its checks hangs, whatever the machine is busy with."""
        return 2 * self.budget + 300


def _tool(name: str, *argv: str) -> Check:
    return Check(name, (str(BIN / argv[0]), *argv[1:]))


def _pytest(name: str, *argv: str, needs: tuple[str, ...] = ()) -> Check:
    return Check(name, argv, pytest=True, needs=needs)


SHELL = (
    "lyceum", ".ci/run", "docs/demo/visitors", "instance/install.sh", "instance/say-why.sh",
    "src/lyceum_lab/cloud/standins/mount.efs",
)  # fmt: skip
SLOWEST = ("--durations=5", "--durations-min=5")  # for whoever wonders where the time goes
GRACE = 60.0  # seconds that one which hangs has for taking down what it started
PROGRAMS = {  # program → Debian package
    "chromium": "chromium",
    "debootstrap": "debootstrap",
    "dnsmasq": "dnsmasq-base",
    "ffmpeg": "ffmpeg",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "nft": "nftables",
    "npm": "npm",
    "postgres": "postgresql",
    "sftp-server": "openssh-sftp-server",
    "systemd-nspawn": "systemd-container",
}
# Programs that lie on no PATH.
ELSEWHERE_ON_DISK = {"postgres": "/usr/lib/postgresql/*/bin/postgres", "sftp-server": "/usr/lib/openssh/sftp-server"}
CLOUD = ("debootstrap", "dnsmasq", "haproxy", "ip", "nft", "postgres", "sftp-server", "systemd-nspawn")
# Marks of tests that have a suite of their own.
ELSEWHERE = (
    "contract", "terraform", "e2e", "rehearsal", "namespaces", "standins", "machine", "cloud", "pipeline", "runbook",
    "drill", "release", "docs", "alarms", "audit", "logs",
)  # fmt: skip
SUITES = (
    Suite("lint", "style, shell, YAML, templates", 60, (
        _tool("ruff check", "ruff", "check", "--quiet", "."),
        _tool("ruff format", "ruff", "format", "--quiet", "--check", "."),
        _tool("shellcheck", "shellcheck", *SHELL),
        _tool("yamllint", "yamllint", "--strict", "samples", "pipeline", ".yamllint.yaml"),
        _tool("djlint", "djlint", "--quiet", "--lint", "src/lyceum"),
    )),
    Suite("types", "mypy, strict", 120, (_tool("mypy", "mypy"),)),
    Suite("unit", "the packages through their interfaces", 420, (
        _pytest("unit", "-m", " and ".join(f"not {mark}" for mark in ELSEWHERE)),
    )),
    Suite("contract", "each pair of backends keeps one contract, on SQLite and on PostgreSQL", 120, (
        _pytest("on SQLite", "-m", "contract"),
        Check("on PostgreSQL", ("-m", "contract"), pytest=True, postgres=True),
    )),
    Suite("runbook", "each page and command of docs/runbook held against AWS's models, and the doctor", 120, (
        _pytest("runbook", "-m", "runbook"),
    )),
    Suite("alarms", "each alarm rings, recovers, is heard; each way to break one is noticed", 25, (
        _pytest("alarms", "-m", "alarms"),
    )),
    Suite("audit", "attacks raise their alarms and ordinary work none, by the deployed filters", 15, (
        _pytest("audit", "-m", "audit"),
    )),
    Suite("logs", "two days of logs: a week of the hourly purge, broken purges, ./lyceum logs", 20, (
        _pytest("logs", "-m", "logs"),
    )),
    Suite("terraform", "fmt, validate, the tests of every module, the tool's commands, the servers applied", 420, (
        _pytest("terraform", "-m", "terraform"),
    )),
    Suite("static", "the posture of the code and its plans, checkov, the six pillars: ./lyceum prove static", 150, (
        Check("prove static", (str(paths.CHECKOUT / "lyceum"), "prove", "static"), counts=True),
    )),
    Suite("cost", "what each environment costs a month: ./lyceum prove cost", 20, (
        Check("prove cost", (str(paths.CHECKOUT / "lyceum"), "prove", "cost"), counts=True),
    )),
    Suite("drill", "what is kept comes back beside itself, compared, tried by a learner; one course alone", 180, (
        Check("drill", ("-m", "drill and not full"), pytest=True, full=("-m", "drill")),
    ), lane="processes"),
    Suite("rehearsal", "the rehearsal's bad days: a taken port, a killed emulator, kill -9, a full disk", 240, (
        _pytest("rehearsal", "-m", "rehearsal"),
    )),
    Suite("packets", "networks of namespaces carry packets as the model says, and miss each rule", 240, (
        Check("packets", ("-m", "namespaces"), pytest=True,
              needs=("dnsmasq", "ip", "nft", "postgres", "sftp-server"), root=True),
    )),
    Suite("instance", "servers boot from their user data, live through their bad days, or say why they do not", 420, (
        Check("instance", ("-m", "machine"), pytest=True, needs=CLOUD, root=True),
    )),
    Suite("standins", "what stands for the load balancer, the group and Amazon's agent, as processes", 540, (
        _pytest("standins", "-m", "standins", needs=("haproxy",)),
    ), lane="processes"),
    Suite("cloud", "the whole cloud on this machine: a learner's way in, files, lost servers: ./lyceum rehearse", 600, (
        Check("cloud", ("-m", "cloud and not full"), pytest=True, needs=CLOUD, root=True, full=("-m", "cloud")),
    )),
    Suite("release", "bad releases: what they cost, and that they go back by themselves; --full, in the cloud", 120, (
        Check("release", ("-m", "release and not full", "tests/lyceum_lab/cloud/group"), pytest=True, needs=CLOUD,
              root=True, full=("-m", "release", "tests/lyceum_lab/cloud/group", "tests/rehearsal")),
    ), lane="processes"),
    Suite("pipeline", "a commit becomes a running release by the buildspecs themselves; a bad one is stopped", 300, (
        _pytest("pipeline", "-m", "pipeline"),
    ), lane="processes"),
    Suite("docs", "the documents do what they say, lead somewhere, and can be read: ./lyceum docs", 90, (
        _pytest("links and commands", "tests/test_docs.py"),
        _pytest("docs", "tests/docs", "-m", "docs", needs=("chromium",)),
    ), lane="processes"),
    Suite("apply", "dev and prod applied, changed, destroyed; network and permissions: ./lyceum prove apply", 1500, (
        Check("prove apply", (str(paths.CHECKOUT / "lyceum"), "prove", "apply"), counts=True),
    ), lane="apply"),
    Suite("e2e", "the player and a learner's whole way in Chromium, on a fresh `./lyceum up`", 480, (
        _pytest("e2e", "-m", "e2e", needs=("chromium", "ffmpeg")),
    ), lane="processes"),
)  # fmt: skip
GROUPS = {"verify": ("lint", "types", "unit", "contract", "runbook", "terraform", "static", "cost")}


def show_list() -> None:
    """Print the suites and the groups."""
    table = Table("suite", "budget", "shows")
    for suite in SUITES:
        table.add_row(suite.name, f"{suite.budget} s", suite.shows)
    for group, members in GROUPS.items():
        table.add_row(group, f"{sum(s.budget for s in SUITES if s.name in members)} s", "= " + ", ".join(members))
    out.print(table)


def run(names: list[str], *, full: bool = False) -> int:
    """Run the named suites and groups, or all; `full`, with what takes long. Returns the exit code.

    Raises Usage for an unknown name.
    """
    known = {suite.name: suite for suite in SUITES}
    wanted: list[str] = []
    for name in names or list(known):
        if name not in known and name not in GROUPS:
            raise Usage(f"There is no suite named {name!r}.", f"There are: {', '.join([*known, *GROUPS])}.")
        wanted += [member for member in GROUPS.get(name, (name,)) if member not in wanted]
    # Begun in the background it would be ignored, and by all that is started here.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _install_tools()
    total = Count()
    summary: list[tuple[Suite, Count, float]] = []
    with _Aside([known[name] for name in wanted], full=full) as aside:
        for name in wanted:
            suite, began, count = known[name], time.monotonic(), Count()
            if name in aside:
                counted, seconds = aside.wait(name)
                count.add(counted)
            else:
                for check in suite.checks:
                    out.rule(f"{suite.name}: {check.name}", align="left")
                    wanted_check = replace(check, argv=check.full) if full and check.full else check
                    count.add(_run(wanted_check, limit=suite.limit * (4 if full else 1)))
                seconds = time.monotonic() - began
            summary.append((suite, count, seconds))
            total.add(count)
    table = Table("suite", "passed", "failed", "skipped", "seconds", "budget")
    for suite, count, seconds in summary:
        late = " over" if seconds > suite.budget else ""
        table.add_row(suite.name, str(count.passed), str(count.failed), str(count.skipped), f"{seconds:.0f}",
                      f"{suite.budget}{late}")  # fmt: skip
    out.print(table)
    out.print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0


class _Aside:
    """Suites that mostly wait go on beside the others, one after the other in each lane.

    What they say is shown when their turn comes.
    """

    def __init__(self, suites: list[Suite], *, full: bool) -> None:
        lanes: dict[str, list[_Beside]] = {}
        for suite in suites if len(suites) > 1 else ():
            if suite.lane:
                lanes.setdefault(suite.lane, []).append(_Beside(suite.name, full=full))
        self._beside = {one.name: one for lane in lanes.values() for one in lane}
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._go, args=(lane,), daemon=True) for lane in lanes.values()]
        for lane in lanes.values():
            out.print(f"beside the others: {', '.join(one.name for one in lane)}")
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for one in self._beside.values():
            one.stop()
        for thread in self._threads:
            thread.join()

    def _go(self, lane: list[_Beside]) -> None:
        for one in lane:
            if not self._ended.is_set():
                one.run()

    def __contains__(self, name: str) -> bool:
        return name in self._beside

    def wait(self, name: str) -> tuple[Count, float]:
        """Return when it has ended, after showing what it said, with the seconds that it took."""
        one = self._beside[name]
        one.ended.wait()
        lines = one.said.splitlines()
        out.print("\n".join(lines[:-1]), markup=False)
        return _counted(lines[-1] if lines else "", one.code), one.seconds


class _Beside:
    """One suite as a process of its own."""

    def __init__(self, name: str, *, full: bool) -> None:
        self.name = name
        self.ended = threading.Event()
        self.said, self.code, self.seconds = "", 1, 0.0
        self._argv = [str(paths.CHECKOUT / "lyceum"), "test", name, *(["--full"] if full else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Run it to its end. What it says goes to a file first: a pipe that nobody reads would fill."""
        began = time.monotonic()
        try:
            with tempfile.TemporaryFile() as sink:
                self._process = subprocess.Popen(self._argv, cwd=paths.CHECKOUT, stdout=sink, stderr=subprocess.STDOUT)
                self.code = self._process.wait()
                sink.seek(0)
                self.said = sink.read().decode(errors="replace")
        finally:
            self.seconds = time.monotonic() - began
            self.ended.set()

    def stop(self) -> None:
        """End it, where it still goes on: it takes down what it started."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(paths.SRC), "PYTHONDONTWRITEBYTECODE": "1"}


def _run(check: Check, limit: int) -> Count:
    if lacks := _lacks(check):
        if os.environ.get("CI"):
            out.print(f"FAILED: {check.name} needs {lacks}, and CI skips nothing")
            return Count(failed=1)
        out.print(f"SKIPPED: {check.name} needs {lacks}")
        return Count(skipped=1)
    environment = _environment()
    if check.counts:
        return _run_proof(check, environment, limit)
    if not check.pytest:
        code = _run_bounded(check.name, list(check.argv), environment, limit)
        out.print(f"{check.name}: {'passed' if code == 0 else f'FAILED with code {code}'}")
        return Count(failed=1) if code else Count(passed=1)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        argv = [str(BIN / "python"), "-m", "pytest", "-q", f"--junit-xml={report}", *SLOWEST, *check.argv]
        with _database(Path(folder), embedded=check.postgres) as settings:
            code = _run_bounded(check.name, argv, environment | settings, limit)
        return _read(report, code)


def _lacks(check: Check) -> str:
    """What this machine has not and cannot get, for a check; empty when it has everything."""
    if check.root and (os.geteuid() != 0 or not sys.platform.startswith("linux")):
        return "root on Linux: it makes network namespaces"
    for program in check.needs:
        if not _have(program):
            return f"{program}, which is neither here nor could be installed by apt"
    return ""


def _run_bounded(name: str, argv: list[str], environment: dict[str, str], limit: int) -> int:
    """Run it to its end, or to `limit` seconds. Returns its exit code, which is not 0 where it had to be ended."""
    with subprocess.Popen(argv, cwd=paths.CHECKOUT, env=environment) as process, _bounded(name, process, limit) as hung:
        code = process.wait()
    return code or int(hung.is_set())


@contextmanager
def _bounded(name: str, process: subprocess.Popen[Any], limit: int) -> Iterator[threading.Event]:
    """End `process`, and all that it started, after `limit` seconds: one that hangs would hide what comes after it.

    The event tells whether that was done.
    """
    hung = threading.Event()

    def end() -> None:
        hung.set()
        out.print(f"FAILED: {name} has not ended after {limit} s, and is ended")
        family = _family(process.pid)
        process.send_signal(signal.SIGINT)  # it takes down what it started
        psutil.wait_procs(family, timeout=GRACE)
        for one in [*_family(process.pid), *family]:
            with suppress(psutil.NoSuchProcess):
                one.kill()

    timer = threading.Timer(limit, end)
    timer.daemon = True
    timer.start()
    try:
        yield hung
    finally:
        timer.cancel()
        timer.join()


def _family(pid: int) -> list[psutil.Process]:
    """The process and all that it started, as far as they are there."""
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def _run_proof(check: Check, environment: dict[str, str], limit: int) -> Count:
    """Run a proof, its lines shown as they come. What ends without a closing line failed."""
    last = ""
    with (
        subprocess.Popen(check.argv, cwd=paths.CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as proof,
        _bounded(check.name, proof, limit) as hung,
    ):
        assert proof.stdout is not None  # noqa: S101 - asked for above
        for line in proof.stdout:
            out.print(line.rstrip(), markup=False)
            last = line
    return _counted(last, proof.returncode or int(hung.is_set()))


def _counted(last: str, code: int) -> Count:
    """The counts of a proof's closing line. One that ended without, or with nothing kept, failed."""
    said = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", last.strip())
    count = Count(int(said[1]), int(said[2]), int(said[3] or 0)) if said else Count()
    if (code or not count.passed) and not count.failed:
        count.failed = 1
    return count


@contextmanager
def _database(folder: Path, *, embedded: bool) -> Iterator[dict[str, str]]:
    """The settings of a run's database; embedded, a PostgreSQL for its time, as administrator: tests make databases."""
    if not embedded:
        yield {}
        return
    server = postgres.start(folder / "postgres", folder / "postgres.log", dict(os.environ))
    try:
        yield {"DATABASE_URL": server.admin_url, "SECRET_KEY": "only-for-this-test-run"}
    finally:
        server.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        server.process.wait(timeout=30)


def _read(report: Path, code: int) -> Count:
    """The counts of a pytest run. A run that was cut short, or that ran nothing, failed."""
    count = Count()
    try:
        # pytest of our own wrote it a moment ago
        for one in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314
            failed = int(one.get("failures", 0)) + int(one.get("errors", 0))
            skipped = int(one.get("skipped", 0))
            count.add(Count(int(one.get("tests", 0)) - failed - skipped, failed, skipped))
    except (OSError, ET.ParseError):
        pass
    if code and not count.failed:
        count.failed = 1
    if os.environ.get("CI") and count.skipped:
        out.print(f"FAILED: {count.skipped} skipped, and CI skips nothing")
        count.failed += count.skipped
        count.skipped = 0
    return count


def _install_tools() -> None:
    """Bring .venv up to requirements/dev.txt; once, as the stamp is the lock's own text."""
    stamp = paths.CHECKOUT / ".venv" / ".lyceum-dev-lock"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    out.print("installing the test tools from requirements/dev.txt (once)")
    done = subprocess.run(
        [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
         "-r", str(LOCK)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise LyceumError(f"The test tools could not be installed: {last}", "Check the network or PIP_INDEX_URL.")
    stamp.write_bytes(LOCK.read_bytes())


def require(programs: Iterable[str]) -> None:
    """Have the test tools and these programs, installed where that is possible. Raises MissingTool."""
    _install_tools()
    for program in programs:
        if not _have(program):
            raise MissingTool(f"{program} is not on this machine.", f"Install Debian's package {PROGRAMS[program]}.")


def _have(program: str) -> bool:
    """Whether `program` is there, after apt was asked for it where that is possible."""

    def there() -> bool:
        place = ELSEWHERE_ON_DISK.get(program, "")
        return shutil.which(program) is not None or bool(place and any(Path("/").glob(place.lstrip("/"))))

    if there():
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    paths.HOME.mkdir(parents=True, exist_ok=True)
    with (paths.HOME / "apt.lock").open("w") as lock:
        # Suites beside each other want it at once, and apt itself does not wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if there():
            return True
        out.print(f"installing {program} with apt-get")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=env, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-qy", PROGRAMS[program]], env=env, **quiet)  # type: ignore[call-overload]
    return there()
