"""RDS's Multi-AZ on one machine: a primary, and in the other zone a standby that has all that was acknowledged.

The standby is a copy of the primary (pg_basebackup) that follows by streaming. In step, each commit waits for it, so
that it may take over at any moment; it takes over when the primary ends or hangs, or when a failover is ordered. The
old primary is ended before that to its last process, and its data are deleted: there is never a second primary. A
standby that is away holds nobody up, as on RDS: commits wait for it no longer, another copy is made, and until it is
in step it is not promoted; a primary that ends meanwhile is started again where it is.

Nobody but the lab may log in to a standby. Its stream takes a way of its own, which no rule of the customer's decides.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import psutil
import psycopg

from lyceum_lab.emulator.pages import page
from lyceum_lab.rehearsal import postgres
from lyceum_lab.rehearsal.postgres import Database, Place
from lyceum_ops.errors import LyceumError

ROLE = "rdsrepladmin"  # RDS's own name for whoever replicates
STANDBY = "standby"
LOOK = 0.1  # seconds between two looks at the processes
ASK = 1.0  # and between two questions to the primary while all is well
AWAY = 2.0  # seconds without a stream until commits wait for the standby no longer
SILENT = 30.0  # seconds without a login until a primary that runs counts as hung
LOST = 60.0  # seconds without a stream until a standby that runs is made anew
SETTLED = 1.0  # seconds in which all of the primary's processes have heard of a new setting
AGAIN = (1.0, 30.0)  # seconds until a standby that could not be made is tried again: at first, at most
STARTS = 5  # how often in a row a primary without a standby in step is started again
SETTINGS = {
    "wal_keep_size": "256MB",
    "wal_sender_timeout": "10s",
    "wal_receiver_timeout": "10s",
    "wal_retrieve_retry_interval": "1s",
}
# What DescribeEvents says of it (RDS-EVENT-0013, 0049, 0006).
FAILOVER_STARTED, FAILOVER_COMPLETED = "Multi-AZ instance failover started.", "Multi-AZ instance failover completed"
RESTARTED = "DB instance restarted"
LINK = IPv4Network("169.254.254.0/30")  # of the two hosts, beside the VPC
FAILED = (LyceumError, OSError, psycopg.Error)


@dataclass(frozen=True)
class Seat:
    """Where one of the two may be."""

    zone: str
    place: Place


@dataclass(frozen=True)
class Event:
    """Something that happened, for people and for tests; `rds` is what RDS says of it. `at` is a `time.time()`."""

    at: float
    what: str
    rds: str = ""


@dataclass
class _Server:
    seat: Seat
    folder: Path
    database: Database

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def runs(self) -> bool:
        return self.database.process.poll() is None


@dataclass
class Pair:
    """Two servers, of which one serves. `lead` hears who does, at the start and after each failover.

    `between` is the range that the seats' links are in, `trust` the authority of their certificates. `ordered` is
    asked once a second whether somebody wants a failover. All that it starts ends with `stop`, or with this process.
    """

    seats: tuple[Seat, Seat]
    folder: Path
    log: Path
    env: Mapping[str, str]
    between: str
    lead: Callable[[Seat, Database], None]
    ordered: Callable[[], bool] = lambda: False
    trust: Path | None = None
    events: list[Event] = field(default_factory=list)
    trouble: str = ""  # why the last look failed; "" when it did not
    lost: str = ""  # why there is no database any more, for good

    def __post_init__(self) -> None:
        self._password = secrets.token_urlsafe(24)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._primary: _Server | None = None
        self._standby: _Server | None = None
        self._in_step = False
        self._armed: float | None = None  # since when commits wait for the standby
        self._mark: str | None = None  # what it has to have before it counts as in step
        self._asked = self._heard = 0.0
        self._spoke = time.monotonic()  # when the primary last took a login
        self._streamed = time.monotonic()
        self._next, self._pause = 0.0, AGAIN[0]
        self._starts = 0
        self._wanted = False

    # ------------------------------------------------------------------------------------------------------- life

    def start(self) -> Database:
        """Start both, and return the primary when they are in step. Raises LyceumError when they do not get there."""
        seat = self.seats[0]
        folder = self.folder / seat.zone
        self.folder.mkdir(parents=True, exist_ok=True)
        found = postgres.start(folder, self.log, self.env, seat.place, self._settings(seat))
        self._primary = _Server(seat, folder, found)
        self._on(self._primary, f"CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD '{self._password}'")
        self._admit(self._primary)
        self._make_standby()
        deadline = time.monotonic() + 60
        while not self._in_step:
            if time.monotonic() > deadline:
                raise LyceumError("The standby does not come in step with its primary.", f"Log: {self.log}")
            time.sleep(LOOK)
            self._ask()
        self.lead(seat, found)
        self._thread = threading.Thread(target=self._run, name="standby", daemon=True)
        self._thread.start()
        return found

    def stop(self) -> None:
        """End both. What they kept stays in the folder."""
        self._ended.set()
        if self._thread:
            self._thread.join(timeout=90)
        for one in (self._primary, self._standby):
            if one:
                self._end(one)

    @property
    def running(self) -> bool:
        """Whether somebody looks after them."""
        return self._thread is not None and self._thread.is_alive() and not self.lost

    def describe(self) -> dict[str, Any]:
        """Which zone serves, and how its standby is: in step, following, or none yet."""
        primary, standby = self._primary, self._standby
        state = "none" if standby is None else "in step" if self._in_step else "following"
        return {
            "zone": primary.seat.zone if primary else "",
            "standby": standby.seat.zone if standby else "",
            "state": state,
            "events": [f"{time.strftime('%H:%M:%S', time.localtime(one.at))} {one.what}" for one in self.events[-20:]],
        }

    def _run(self) -> None:
        while not self._ended.wait(LOOK) and not self.lost:
            try:
                self.step()
                self.trouble = ""
            except FAILED as error:
                self.trouble = f"{type(error).__name__}: {error}".strip()

    def step(self) -> None:
        """Look once, and do what is to be done."""
        primary, standby = self._lead(), self._standby
        now = time.monotonic()
        if not primary.runs:
            self._replace("the primary ended")
        elif standby is None or not standby.runs:
            self._let_go("the standby ended" if standby else "")
            if now >= self._next:
                self._next, self._pause = now + self._pause, min(2 * self._pause, AGAIN[1])
                self._make_standby()
        elif self._wanted and self._in_step:
            self._wanted = False
            self._replace("a failover was ordered")
        elif now - self._asked >= (ASK if self._in_step else LOOK):
            self._asked = now
            self._ask()
        # Last: whoever orders may not answer, and what has to be done goes on all the same.
        if now - self._heard >= ASK:
            self._heard = now
            self._wanted = self.ordered() or self._wanted

    # ----------------------------------------------------------------------------------------------------- in step

    def _ask(self) -> None:
        """Ask the primary how its standby follows, and let commits wait for it or not."""
        now = time.monotonic()
        try:
            rows = self._on(
                self._lead(),
                "SELECT state = 'streaming', sync_state = 'sync', pg_current_wal_flush_lsn()::text,"
                " flush_lsn >= coalesce(%s::pg_lsn, flush_lsn), pg_current_wal_flush_lsn() - flush_lsn < 1000000"
                " FROM pg_stat_replication WHERE application_name = %s ORDER BY backend_start DESC LIMIT 1",
                self._mark,
                STANDBY,
            )
        except psycopg.Error:
            if now - self._spoke > SILENT and self._lead().runs:
                self._replace(f"the primary has taken no login for {SILENT:.0f} s")
            raise
        self._spoke = now
        streams, waits, there, reached, near = next(iter(rows), (False, False, "", False, False))
        if not streams:
            if now - self._streamed > AWAY:
                self._let_go("the standby follows no longer")
            if now - self._streamed > LOST and self._standby:
                self._end(self._standby)
            return
        self._streamed, self._starts = now, 0
        if self._in_step:
            return
        if self._armed is None:
            if near:
                self._hold()
                self._armed, self._mark = time.monotonic(), None
        elif waits and now - self._armed > SETTLED:
            # Whatever was acknowledged before all heard that it waits lies before the mark.
            if self._mark is None:
                self._mark = there
            elif reached:
                self._in_step, self._pause = True, AGAIN[0]
                self._note(f"the standby in {self._zone(self._standby)} is in step")

    def _hold(self) -> None:
        """From now on commits wait for the standby."""
        self._on(self._lead(), f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
        self._on(self._lead(), "SELECT pg_reload_conf()")

    def _let_go(self, why: str) -> None:
        """Commits wait no longer. Before the first of them is acknowledged alone, the standby counts no more."""
        was, self._in_step = self._in_step, False
        if self._armed is not None:
            self._on(self._lead(), "ALTER SYSTEM RESET synchronous_standby_names")
            self._on(self._lead(), "SELECT pg_reload_conf()")
            self._armed = self._mark = None
        if was:
            self._note(f"{why}; the primary goes on alone")

    # ---------------------------------------------------------------------------------------------------- failover

    def _replace(self, why: str) -> None:
        """Let the standby take over where it has everything, else start the primary again where it is."""
        old, new = self._lead(), self._standby
        may, self._in_step = self._in_step and new is not None and new.runs, False
        if may:
            self._note(f"{why}: failover", FAILOVER_STARTED)
        else:
            self._note(f"{why}: it is started again")
        # To its last process: one that goes on would acknowledge what its successor does not know.
        self._end(old)
        if may and new:
            try:
                self._promote(new)
            except FAILED as error:
                self._end(new)
                self._note(f"the standby cannot take over: {error}".strip())
                self._again(old)
                return
            self._primary, self._standby = new, None
            self._armed = self._mark = None
            self._spoke = self._streamed = time.monotonic()
            self._next = 0.0
            self.lead(new.seat, new.database)
            self._note(f"{new.seat.zone} serves", FAILOVER_COMPLETED)
            shutil.rmtree(old.folder)
        else:
            self._again(old)

    def _promote(self, new: _Server) -> None:
        (done,) = self._on(new, "SELECT pg_promote(true, 60)", seconds=70)[0]
        if not done:
            raise LyceumError("PostgreSQL was not promoted within 60 s.", f"Log: {self.log}")
        self._admit(new)

    def _again(self, old: _Server) -> None:
        self._starts += 1
        if self._starts > STARTS:
            self.lost = f"PostgreSQL ended {STARTS} times, and no standby was in step: {postgres.last_line(self.log)}"
            return
        old.database = self._launched(old.seat, old.folder, old.database, {})
        self._note(f"{old.seat.zone} serves again", RESTARTED)
        self._spoke = self._streamed = time.monotonic()
        # It may have been told to wait for its standby, and has none in step.
        self._armed = time.monotonic()
        self._let_go("")

    # ------------------------------------------------------------------------------------------------- the servers

    def _make_standby(self) -> None:
        """Copy the primary to the other seat, from nothing, and let it follow."""
        primary = self._lead()
        seat = next(one for one in self.seats if one is not primary.seat)
        folder = self.folder / seat.zone
        self._standby = None
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        there = primary.seat.place
        kind = f"sslmode=verify-ca sslrootcert={self.trust}" if self.trust else "sslmode=disable"
        where = f"host={there.link} port={there.port} user={ROLE} application_name={STANDBY} connect_timeout=5 {kind}"
        env = {**self.env, "PGPASSWORD": self._password}
        code = postgres.run(
            seat.place, "pg_basebackup", "--dbname", where, "--pgdata", str(folder / "data"), "--checkpoint=fast",
            "--wal-method=stream", "--no-sync", log=self.log, env=env, seconds=120,
        )  # fmt: skip
        if code:
            raise LyceumError(f"The primary cannot be copied: {postgres.last_line(self.log)}", f"Log: {self.log}")
        self._write_access(folder / "data", "")
        (folder / "data" / "standby.signal").touch()
        made = self._launched(seat, folder, primary.database, {"primary_conninfo": where}, env)
        self._standby = _Server(seat, folder, made)
        self._streamed = time.monotonic()

    def _launched(
        self, seat: Seat, folder: Path, like: Database, more: Mapping[str, str], env: Mapping[str, str] | None = None
    ) -> Database:
        place = seat.place
        process = postgres.launch(
            folder / "data", self.log, env or self.env, place, {**self._settings(seat), **more}
        )  # fmt: skip
        found = Database(process, place.address, place.port, like.owner_password, like.admin_password)
        try:
            place.enter(lambda: postgres.wait(process, found.admin_url, self.log, 60))
        except LyceumError:
            self._end(_Server(seat, folder, found))
            raise
        return found

    def _end(self, one: _Server) -> None:
        """End it as a lost machine ends, and whatever of it would go on without its head."""
        process = one.database.process
        if process.poll() is None:
            process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while left := _working_in(one.data):
            if time.monotonic() > deadline:
                raise LyceumError(f"Process {left[0].pid} of PostgreSQL does not end.", f"Log: {self.log}")
            for each in left:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            time.sleep(0.02)

    def _admit(self, one: _Server) -> None:
        """Let everybody in who has a password, and the other seat's replication."""
        kind = "hostssl" if one.seat.place.certificate else "host"
        self._write_access(
            one.data, f"{kind} replication {ROLE} {self.between} scram-sha-256\n{kind} all all all scram-sha-256\n"
        )
        self._on(one, "SELECT pg_reload_conf()")

    @staticmethod
    def _write_access(data: Path, more: str) -> None:
        (data / "pg_hba.conf").write_text(f"host all postgres samehost scram-sha-256\n{more}")

    @staticmethod
    def _settings(seat: Seat) -> dict[str, str]:
        return {**SETTINGS, "log_line_prefix": f"%m [%p] {seat.zone} "}

    def _on(self, one: _Server, statement: str, *values: object, seconds: float = 10) -> list[tuple[Any, ...]]:
        """Run a statement of the superuser's and return its rows."""

        def ask() -> list[tuple[Any, ...]]:
            with psycopg.connect(
                one.database.admin_url, autocommit=True, connect_timeout=5,
                options=f"-c statement_timeout={seconds * 1000:.0f} -c synchronous_commit=local",
            ) as connection:  # fmt: skip
                cursor = connection.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

        return list(one.seat.place.enter(ask))

    def _lead(self) -> _Server:
        if self._primary is None:
            raise LyceumError("The pair was not started.")
        return self._primary

    @staticmethod
    def _zone(one: _Server | None) -> str:
        return one.seat.zone if one else ""

    def _note(self, what: str, rds: str = "") -> None:
        self.events.append(Event(time.time(), what, rds))


class Report:
    """Tells the emulated API which zone serves and what happened, and hears whether a failover is ordered there."""

    def __init__(self, emulator: str, region: str, database: str) -> None:
        self._emulator, self._region, self._database = emulator, region, database
        self._told = 0

    def tell(self, pair: Pair) -> bool:
        """Raises OSError when the emulator does not answer; what happened is then told the next time."""
        events = pair.events[self._told :]
        now = pair.describe()
        body = {"region": self._region, "database": self._database, "zone": now["zone"], "standby": now["standby"],
                "events": [one.rds for one in events if one.rds]}  # fmt: skip
        said = page(self._emulator, "/_lyceum/databases", body, timeout=10)
        self._told += len(events)
        return bool(said["failover"])


def _working_in(folder: Path) -> list[psutil.Process]:
    """PostgreSQL's processes of a cluster: each works in its folder, also when its head is gone."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.cwd() == str(folder.resolve()):
                found.append(process)
    return found
