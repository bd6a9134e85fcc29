"""`./lyceum bench`: what a learner costs a server, measured on the rehearsal that runs, in one run.

CPU time is what a small server has least of, so that is counted: of the platform's own processes, from the kernel,
while one kind of request after the other is made. Machines differ; what carries over is how the kinds compare, and the
first line, a health check, is the measure of the others. The database, the table and the visitors cost others.
"""

from __future__ import annotations

import os
import re
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import requests
from rich.table import Table

from lyceum_lab.platform import ROLES
from lyceum_lab.rehearsal import state
from lyceum_lab.rehearsal.state import State
from lyceum_ops import processes
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError, Usage

WARM_UP = 20  # requests that are not counted
MOST = 20_000
# The kernel counts CPU in ticks; a kind that took fewer is no measure of the others.
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
FEWEST_TICKS = 10
COURSE = "how-the-cloud-works"
# Of a learner who watches: a report each ten seconds (player.js), and another page every two minutes.
REPORTS_A_MINUTE, PAGES_A_MINUTE = 6, 0.5
# What a t2.micro may use of its core for ever; more is paid with credits (docs/explanation/capacity.md).
BASELINE = 0.10


@dataclass(frozen=True)
class Kind:
    """A kind of request; `ask` makes one and returns its status."""

    name: str
    ask: Callable[[], int]


@dataclass(frozen=True)
class Figure:
    """What `requests` of a kind took: CPU of the platform and time until answered, both in milliseconds a request."""

    name: str
    requests: int
    cpu: float
    median: float
    p95: float


def bench(count: int) -> list[Figure]:
    """Measure `count` requests of each kind, and show it. Raises Usage, and LyceumError when there is no rehearsal."""
    if not WARM_UP <= count <= MOST:
        raise Usage(f"{count} requests of a kind are not from {WARM_UP} to {MOST}.", "Leave --requests out.")
    there = state.running()
    if there is None or there.phase != "ready" or "platform" not in there.pids:
        raise LyceumError("There is no ./lyceum up to measure.", "./lyceum up --detach, and again.")
    platform = psutil.Process(there.pids["platform"])
    figures = []
    with step("measure") as line:
        for kind in _kinds(there):
            line.note(kind.name)
            figures.append(measure(kind, count, lambda: _cpu(platform)))
        line.note(f"{count} requests of {len(figures)} kinds, one at a time")
    _show(figures, processes.pss_mib(platform.pid))
    return figures


def measure(kind: Kind, count: int, cpu: Callable[[], float]) -> Figure:
    """One kind; `cpu` tells the seconds used so far. Raises LyceumError when a request is not answered well."""
    for _ in range(WARM_UP):
        _asked(kind)
    took, before = [], cpu()
    for _ in range(count):
        began = time.perf_counter()
        _asked(kind)
        took.append(1000 * (time.perf_counter() - began))
    used = cpu() - before
    return Figure(kind.name, count, 1000 * used / count, statistics.median(took), statistics.quantiles(took, n=20)[-1])


def learners(figures: list[Figure], share: float) -> int:
    """How many watch at once on a share of one core of this machine, by their CPU alone.

    Raises LyceumError when the kernel counted none.
    """
    by = {figure.name: figure.cpu for figure in figures}
    a_minute = REPORTS_A_MINUTE * by[REPORT] + PAGES_A_MINUTE * by[LESSON]
    if not a_minute:
        raise LyceumError("The kernel counted no CPU for so few requests.", "Take more: --requests.")
    return int(share * 60_000 / a_minute)


def ratios(figures: list[Figure]) -> list[str]:
    """Of each kind, how many of the first one it is; "-" where that took too little CPU to be a measure."""
    first = figures[0]
    if first.cpu * first.requests < FEWEST_TICKS * TICK_MS:
        return ["-"] * len(figures)
    return [f"{one.cpu / first.cpu:.1f}" for one in figures]


HEALTH, CATALOGUE, COURSE_PAGE, LESSON, REPORT = "health check", "catalogue", "course page", "lesson page", "report"


def _asked(kind: Kind) -> None:
    status = kind.ask()
    if status != 200:
        raise LyceumError(f"A request of the kind {kind.name} was answered {status}.", "./lyceum logs platform")


def _cpu(process: psutil.Process) -> float:
    """Seconds of the process and its children, the kernel's for them included."""
    found = [process, *process.children(recursive=True)]
    return sum(times.user + times.system for times in (one.cpu_times() for one in found))


def _kinds(there: State) -> Iterator[Kind]:
    """Everything that the mix is made of, as the student who exists."""
    visitor, student, base = requests.Session(), requests.Session(), there.url.rstrip("/")
    visitor.trust_env = student.trust_env = False
    yield Kind(HEALTH, lambda: visitor.get(f"{base}/healthz", timeout=30).status_code)
    yield Kind(CATALOGUE, lambda: visitor.get(f"{base}/", timeout=30).status_code)
    account = next(one for one in there.accounts if one.role == ROLES[0])
    _post(student, base, "/accounts/login/", login=account.email, password=account.password)
    course = f"/courses/{COURSE}/"
    joined = _post(student, base, f"{course}enrol/", page=course)
    lessons = re.findall(rf'href="({course}lessons/[^/"]+/)"', joined)
    pages = {path: student.get(f"{base}{path}", timeout=30).text for path in dict.fromkeys(lessons)}
    path, page = next(((path, text) for path, text in pages.items() if "data-duration=" in text), ("", ""))
    if not path:
        raise LyceumError(f"No lesson of {COURSE} has a video.", "./lyceum logs platform")
    yield Kind(COURSE_PAGE, lambda: student.get(f"{base}{course}", timeout=30).status_code)
    yield Kind(LESSON, lambda: student.get(f"{base}{path}", timeout=30).status_code)
    yield Kind(REPORT, _reports(student, base, page))


def _reports(student: requests.Session, base: str, page: str) -> Callable[[], int]:
    """Reports of somebody who watches, each a little later than the one before."""
    found = [re.search(rf'data-{name}="([^"]+)"', page) for name in ("lesson", "duration")]
    lesson, duration = (one[1] if one else "" for one in found)
    headers = {"X-CSRFToken": str(student.cookies["csrftoken"]), "Referer": base}

    def api(path: str, **body: Any) -> requests.Response:
        return student.post(f"{base}/api/v1{path}", json=body, headers=headers, timeout=30)

    token = api("/progress/anchors", lesson_id=lesson).json()["token"]
    began = time.monotonic()

    def ask() -> int:
        elapsed = time.monotonic() - began
        played = round(elapsed % float(duration), 3)
        return api(
            "/progress/reports", lesson_id=lesson, report_id=str(uuid.uuid4()), token=token, position=played,
            elapsed_ms=int(1000 * elapsed), stretches=[[0, played]],
        ).status_code  # fmt: skip

    return ask


def _post(session: requests.Session, base: str, path: str, *, page: str = "", **fields: str) -> str:
    """A form as a browser sends it. Returns the page that follows."""
    session.get(f"{base}{page or path}", timeout=30)
    fields["csrfmiddlewaretoken"] = str(session.cookies["csrftoken"])
    answer = session.post(f"{base}{path}", data=fields, headers={"Referer": f"{base}{path}"}, timeout=30)
    if not answer.ok:
        raise LyceumError(f"{path} was answered {answer.status_code}.", "./lyceum logs platform")
    return answer.text


def _show(figures: list[Figure], memory: float) -> None:
    table = Table("request", "requests", "CPU, health checks", "CPU, ms", "median, ms", "p95, ms")
    compared = ratios(figures)
    for one, ratio in zip(figures, compared, strict=True):
        table.add_row(one.name, str(one.requests), ratio, f"{one.cpu:.2f}", f"{one.median:.1f}", f"{one.p95:.1f}")
    out.print(table)
    if compared[0] == "-":
        out.print(f"Too few to compare: the kernel counts CPU in steps of {TICK_MS:g} ms. Take more: --requests.")
    out.print(
        f"A learner who watches sends {REPORTS_A_MINUTE} reports and opens {PAGES_A_MINUTE:g} lesson pages a minute. "
        f"By CPU alone, one core of this machine bears {learners(figures, 1)} of them at once, and "
        f"{BASELINE:.0%} of it {learners(figures, BASELINE)}. The platform holds {memory:.0f} MiB."
    )
