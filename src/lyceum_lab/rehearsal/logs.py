"""Reading the logs of a rehearsal: each child process writes one file, which stays until the next start."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

import typer

from lyceum_lab import paths
from lyceum_lab.rehearsal import state
from lyceum_ops.errors import LyceumError, Usage


def show(name: str, *, lines: int, follow: bool, environments: Iterable[str] = ()) -> None:
    """Print the last `lines` of one log; with `follow`, go on while it runs. Raises Usage for a wrong name.

    `environments` are what else the name could have been.
    """
    folder = paths.REHEARSAL / "logs"
    there = {path.stem: path for path in sorted(folder.glob("*.*"))}
    if not there and name:
        raise LyceumError(
            f"There is no environment and no log named {name!r}: no rehearsal was started.",
            f"Environments are: {', '.join(environments)}. A rehearsal starts with ./lyceum up.",
        )
    if not there:
        raise LyceumError("There are no logs: no rehearsal was started.", "Start one with ./lyceum up.")
    if not name:
        for stem, path in there.items():
            typer.echo(f"{stem:10} {path.stat().st_size:>10,} bytes  {path}")
        return
    if name not in there:
        raise Usage(f"There is no log named {name!r}.", f"There are: {', '.join([*there, *environments])}.")
    with there[name].open(encoding="utf-8", errors="replace") as file:
        typer.echo("".join(deque(file, maxlen=lines)), nl=False)
        while follow and state.running():
            typer.echo(file.read(), nl=False)
            time.sleep(0.3)
