"""Promises kept and broken: one line each as they are tried, and one counted line at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lyceum_ops.console import out


class Broken(Exception):
    """What was promised did not hold; the message says what was found instead."""


class Report:
    """The promises of one proof, by name, with what was found of each. Every one of them has to be tried."""

    def __init__(self, promises: dict[str, str]) -> None:
        self.promises = promises
        self.found: dict[str, bool] = {}

    def try_(self, name: str, attempt: Callable[[], str]) -> bool:
        """Try a promise: `attempt` returns a detail, or raises `Broken`. Any other error is a defect and goes on up."""
        began = time.monotonic()
        try:
            detail, kept = attempt(), True
        except Broken as broken:
            detail, kept = str(broken), False
        # A promise that is tried on two environments is kept only if both keep it.
        self.found[name] = self.found.get(name, True) and kept
        mark = "[green]kept[/green]  " if kept else "[red]BROKEN[/red]"
        out.print(f"{mark} {time.monotonic() - began:6.1f} s  {self.promises[name]}")
        if detail:
            out.print(f"                  {detail}", markup=False, style="dim" if kept else "")
        return kept

    def close(self) -> int:
        """Print the closing line. Returns the exit code: a promise that was not tried counts as broken."""
        for name in self.promises:
            if name not in self.found:
                out.print(f"[red]BROKEN[/red] not tried   {self.promises[name]}")
        kept = sum(self.found.values())
        out.print(f"{kept} passed, {len(self.promises) - kept} failed")
        return 0 if kept == len(self.promises) else 1


def require(condition: bool, otherwise: str) -> None:
    """Raise `Broken` unless the condition holds."""
    if not condition:
        raise Broken(otherwise)


def listed(items: Iterable[object], most: int = 6) -> str:
    """Some of the items, and how many more there are."""
    texts = [str(item) for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
