"""The drill: leftovers away, a point of each store, all of them restored at once, compared, tried, removed.

What was made is removed however it ends: by a difference, an error, Ctrl-C or a signal. After `kill -9` the next drill
does it.
"""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

from lyceum_ops.console import step
from lyceum_ops.drill import copies
from lyceum_ops.drill.manifest import compare
from lyceum_ops.drill.report import Report, StoreReport
from lyceum_ops.drill.stores import Copy, Keeper, Point, Store, require_mark
from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import ENDING, handling

# Lets a learner sign in and go on where they were; told the settings for the copies and the drill's number.
Trial = Callable[[Mapping[str, str], str], str]
INTERRUPTED = "the copies are being removed; a second Ctrl-C leaves them to the next drill."


def drill(
    environment: str, stores: Sequence[Store], trial: Trial, *, others: Sequence[Keeper] = (),
    ended: Event | None = None,
) -> Report:  # fmt: skip
    """Run it. The report says whether all of it held; an error of the drill itself is raised, its traces removed.

    What an earlier drill left with `others` goes too. `ended` is set when nothing more is to be made.
    """
    number = secrets.token_hex(4)
    report = Report(environment, number, datetime.now(UTC))
    # They end the drill as Ctrl-C does: by way of the removal.
    with handling(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
        report.swept += copies.sweep([*stores, *others], "drill")
        # What a copy runs on may end with the thread that started it: the threads stay until all of it is over.
        pool = ThreadPoolExecutor(len(stores))
        try:
            points = _protect(stores)
            began = time.monotonic()
            made = _restore(pool, stores, points, number, report)
            _compare(stores, points, made, report)
            _try(stores, made, trial, number, report)
            report.seconds = time.monotonic() - began
        finally:
            if ended:
                ended.set()
            with handling(copies.patient(INTERRUPTED), *ENDING):
                # First the copies, which ends what is still being restored; then once more, what came up meanwhile.
                report.left = copies.remove(stores, "copies")
                pool.shutdown(wait=True, cancel_futures=True)
                if any(store.left() for store in stores):
                    report.left = copies.remove(stores, "copies")
    return report


def _protect(stores: Sequence[Store]) -> dict[str, Point]:
    found = {}
    for store in stores:
        with step(f"a recovery point of the {store.name}") as line:
            found[store.name] = store.protect()
            line.note(found[store.name].name)
    return found


def _restore(
    pool: ThreadPoolExecutor, stores: Sequence[Store], points: Mapping[str, Point], number: str, report: Report
) -> dict[str, Copy | LyceumError]:
    """All at once, as one would in need; what cannot be restored is a finding, and the others go on."""
    found: dict[str, Copy | LyceumError] = {}
    with step("restore all of them beside the live ones") as line:
        work = {store.name: pool.submit(_timed, store, points[store.name], number, report) for store in stores}
        for name, one in work.items():
            try:
                found[name] = one.result()
            except LyceumError as error:
                found[name] = error
        line.note(", ".join(one.name if isinstance(one, Copy) else "FAILED" for one in found.values()))
    return found


def _timed(store: Store, point: Point, number: str, report: Report) -> Copy:
    began = time.monotonic()
    told = StoreReport(store.name, point.name, (datetime.now(UTC) - point.taken).total_seconds())
    report.stores[store.name] = told
    try:
        made = store.restore(point, number)
        require_mark(made.name, number)
    except LyceumError as error:
        told.wrong.append(f"cannot be restored: {error.message}")
        raise
    finally:
        told.seconds = time.monotonic() - began
    return made


def _compare(
    stores: Sequence[Store], points: Mapping[str, Point], made: Mapping[str, Copy | LyceumError], report: Report
) -> None:
    with step("compare what came back with what was there") as line:
        for store in stores:
            copy, point, told = made[store.name], points[store.name], report.stores[store.name]
            if isinstance(copy, Copy):
                told.copy = copy.name
                told.parts = compare(point.before, point.after, copy.manifest)
                told.wrong += [f"{one.part}: {text}" for one in told.parts for text in one.wrong]
                told.wrong += copy.faults
        line.note(f"{report.rows} rows in {report.parts} parts, {len(report.wrong)} differences")


def _try(
    stores: Sequence[Store], made: Mapping[str, Copy | LyceumError], trial: Trial, number: str, report: Report
) -> None:
    if not all(isinstance(copy, Copy) for copy in made.values()):
        report.learner_failed = "not tried: not everything came back"
        return
    with step("let a learner sign in and go on where they were") as line:
        settings: dict[str, str] = {}
        try:
            for store in stores:
                copy = made[store.name]
                if isinstance(copy, Copy):
                    settings |= store.learners_see(copy)
            report.learner = trial(settings, number)
            line.note(report.learner)
        except LyceumError as error:
            report.learner_failed = error.message
            line.note(error.message)
