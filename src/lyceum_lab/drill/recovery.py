"""The database of a rehearsal as it was at a second of the past, by PostgreSQL's own recovery: what RDS does on AWS."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from lyceum_lab.drill.stores import names
from lyceum_lab.rehearsal import postgres
from lyceum_ops.drill.stores import require_mark
from lyceum_ops.errors import LyceumError
from lyceum_ops.restore.course import Opened


class Recovery:
    """Copies of the live server in `live`; each a server of its own in `folder`, which ends with this process.

    `owner` is the name and password of the tables' owner, which a rehearsal never changes.
    """

    name = "database"

    def __init__(self, live: Path, folder: Path, owner: tuple[str, str], binaries: Path | None = None) -> None:
        self._live, self._folder, self._owner, self._binaries = live, folder, owner, binaries
        self._servers: dict[str, postgres.Database] = {}

    def oldest(self) -> datetime:
        """When the server was made, and its log began."""
        try:
            made = (self._live / postgres.SINCE).stat().st_mtime
        except FileNotFoundError as error:
            raise LyceumError("The database of this rehearsal keeps no log of its past.", "Start it anew.") from error
        return datetime.fromtimestamp(int(made) + 1, UTC)

    def bring_back(self, at: datetime, number: str) -> Opened:
        """A copy as of that time."""
        name = f"drill-{number}-database"
        place = self._folder / name
        place.mkdir(parents=True)
        server = postgres.recover(
            self._live, at, place / "server", place / "log", dict(os.environ), self._owner, self._binaries
        )
        self._servers[name] = server
        return Opened(partial(psycopg.connect, server.owner_url, autocommit=True), server.owner_url)

    def left(self) -> list[str]:
        """The copies that there are."""
        return names(self._folder, "database")

    def remove(self, name: str) -> None:
        """End its server, and delete it."""
        require_mark(name)
        if server := self._servers.pop(name, None):
            server.process.send_signal(signal.SIGQUIT)  # what it holds is thrown away
            server.process.wait(timeout=30)
        shutil.rmtree(self._folder / name)
