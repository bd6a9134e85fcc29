"""What a drill makes goes again: what an earlier one left before, and all of it at the end, however it ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from lyceum_ops.console import err, step
from lyceum_ops.drill.stores import Keeper, require_mark
from lyceum_ops.errors import LyceumError


def sweep(keepers: Iterable[Keeper], run: str) -> list[str]:
    """What a killed run left goes first: it costs money, and its names are in the way. Returns the names."""
    swept = []
    with step(f"look for what an earlier {run} left") as line:
        for keeper in keepers:
            for name in keeper.left():
                keeper.remove(require_mark(name))
                swept.append(name)
        line.note(f"{len(swept)} removed" if swept else "nothing")
    return swept


def remove(keepers: Iterable[Keeper], what: str) -> list[str]:
    """Every copy, whatever happened. Returns what cannot be removed, which is for the next run."""
    left = []
    with step(f"remove the {what}") as line:
        for keeper in keepers:
            try:
                for name in keeper.left():
                    keeper.remove(require_mark(name))
                left += keeper.left()
            except LyceumError as error:
                left.append(f"{keeper.name}: {error.message}")
        line.note("nothing is left" if not left else f"LEFT: {', '.join(left)}")
    return left


def patient(said: str) -> Callable[[int, object], None]:
    """A handler of signals for the removal: whoever interrupts it is told so; only the second time it counts."""

    def tell(number: int, _: object) -> None:
        signal.signal(number, signal.default_int_handler)
        err.print(f"interrupted: {said}", markup=False)

    return tell
