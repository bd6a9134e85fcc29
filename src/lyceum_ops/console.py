"""What the command says while it works: one line a step with its time; movement and colour on a terminal only."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Step:
    """A running step; `note` changes what its line says beside the name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""

    def note(self, text: str) -> None:
        self.text = text


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print one line when the work inside ends: a mark, what was done, seconds. A failure's line says so."""
    running = Step(name)
    began = time.monotonic()
    stop = threading.Event()
    tick = _move if out.is_terminal else _remind
    ticker = threading.Thread(target=tick, args=(running, began, stop), daemon=True)
    ticker.start()
    mark = "[green]ok[/green]    "
    try:
        yield running
    except BaseException:
        mark = "[red]failed[/red]"
        raise
    finally:
        stop.set()
        ticker.join()
        _print(mark, running, time.monotonic() - began)


def _print(mark: str, running: Step, seconds: float) -> None:
    note = f"  [dim]{running.text}[/dim]" if running.text else ""
    out.print(f"{mark} {seconds:6.1f} s  {running.name}{note}")
    sys.stdout.flush()


def _remind(running: Step, began: float, stop: threading.Event) -> None:
    """In a log or a pipe: a line now and then, so that long work is not taken for a hang."""
    while not stop.wait(20):
        out.print(f"  …    {time.monotonic() - began:6.1f} s  {running.name}  {running.text}", markup=False)
        sys.stdout.flush()


def _move(running: Step, began: float, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        line = f"  …    {time.monotonic() - began:6.1f} s  {running.name}  {running.text}"
        sys.stdout.write("\r\x1b[2K" + line[: max(20, out.width - 1)])
        sys.stdout.flush()
    sys.stdout.write("\r\x1b[2K")
