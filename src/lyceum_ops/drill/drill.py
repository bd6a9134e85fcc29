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

from lyceum_ops.console import err, step
from lyceum_ops.drill.manifest import compare
from lyceum_ops.drill.report import Report, StoreReport
from lyceum_ops.drill.stores import Copy, Point, Store, require_mark
from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import ENDING, handling

# Lets a learner sign in and go on where they were; told the settings for the copies and the drill's number.
Trial = Callable[[Mapping[str, str], str], str]


def drill(environment: str, stores: Sequence[Store], trial: Trial) -> Report:
    """Run it. The report says whether all of it held; an error of the drill itself is raised, its traces removed."""
    number = secrets.token_hex(4)
    report = Report(environment, number, datetime.now(UTC))
    # They end the drill as Ctrl-C does: by way of the removal.
    with handling(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
        _sweep(stores, report)
        points = {}
        for store in stores:
            with step(f"a recovery point of the {store.name}") as line:
                points[store.name] = store.protect()
                line.note(points[store.name].name)
        began = time.monotonic()
        # What a copy runs on may end with the thread that started it: the threads stay until all of it is over.
        pool = ThreadPoolExecutor(len(stores))
        try:
            copies = _restore(pool, stores, points, number, report)
            _compare(stores, points, copies, report)
            _try(stores, copies, trial, number, report)
            report.seconds = time.monotonic() - began
        finally:
            with handling(_tell, *ENDING):
                # First the copies, which ends what is still being restored; then once more, what came up meanwhile.
                _remove(stores, report)
                pool.shutdown(wait=True, cancel_futures=True)
                if any(store.left() for store in stores):
                    report.left.clear()
                    _remove(stores, report)
    return report


def _sweep(stores: Sequence[Store], report: Report) -> None:
    """What a killed drill left goes first: it costs money, and its names are in the way."""
    with step("look for what an earlier drill left") as line:
        for store in stores:
            for name in store.left():
                store.remove(require_mark(name))
                report.swept.append(name)
        line.note(f"{len(report.swept)} removed" if report.swept else "nothing")


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
    stores: Sequence[Store], points: Mapping[str, Point], copies: Mapping[str, Copy | LyceumError], report: Report
) -> None:
    with step("compare what came back with what was there") as line:
        for store in stores:
            copy, point, told = copies[store.name], points[store.name], report.stores[store.name]
            if isinstance(copy, Copy):
                told.copy = copy.name
                told.parts = compare(point.before, point.after, copy.manifest)
                told.wrong += [f"{one.part}: {text}" for one in told.parts for text in one.wrong]
                told.wrong += copy.faults
        line.note(f"{report.rows} rows in {report.parts} parts, {len(report.wrong)} differences")


def _try(
    stores: Sequence[Store], copies: Mapping[str, Copy | LyceumError], trial: Trial, number: str, report: Report
) -> None:
    if not all(isinstance(copy, Copy) for copy in copies.values()):
        report.learner_failed = "not tried: not everything came back"
        return
    with step("let a learner sign in and go on where they were") as line:
        settings: dict[str, str] = {}
        try:
            for store in stores:
                copy = copies[store.name]
                if isinstance(copy, Copy):
                    settings |= store.learners_see(copy)
            report.learner = trial(settings, number)
            line.note(report.learner)
        except LyceumError as error:
            report.learner_failed = error.message
            line.note(error.message)


def _remove(stores: Sequence[Store], report: Report) -> None:
    """Everything of this drill, whatever happened; what cannot be removed is named, and is for the next drill."""
    with step("remove the copies") as line:
        for store in stores:
            try:
                for name in store.left():
                    store.remove(require_mark(name))
                report.left += store.left()
            except LyceumError as error:
                report.left.append(f"{store.name}: {error.message}")
        line.note("nothing is left" if not report.left else f"LEFT: {', '.join(report.left)}")


def _tell(number: int, _: object) -> None:
    """Whoever interrupts the removal is told what it does; only the second time it counts."""
    signal.signal(number, signal.default_int_handler)
    err.print("interrupted: the copies are being removed; a second Ctrl-C leaves them to the next drill.")
