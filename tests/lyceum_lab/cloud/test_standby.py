"""A primary and its standby as processes: what was acknowledged survives, and there is never a second primary."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.lyceum_lab.cloud.balancer.conftest import free_port, until

from lyceum_lab.cloud.standby import Pair, Seat
from lyceum_lab.rehearsal.postgres import Database, Place

pytestmark = pytest.mark.standins


class Name:
    """What RDS's endpoint is to the platform: a name that leads to whoever serves."""

    def __init__(self) -> None:
        self.zones: list[str] = []
        self.database: Database | None = None
        self.two_at_once = False

    def lead(self, seat: Seat, database: Database) -> None:
        if self.database:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=5):
                self.two_at_once = True
        self.zones.append(seat.zone)
        self.database = database

    @property
    def url(self) -> str:
        assert self.database
        return self.database.owner_url


class Writer:
    """Writes numbers one by one and keeps those whose commit was acknowledged; connects anew whenever it is cut."""

    def __init__(self, name: Name) -> None:
        self.acknowledged: list[int] = []
        self.refused = 0
        self._name, self._ended = name, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        with psycopg.connect(name.url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS enrolments")
            connection.execute("CREATE TABLE enrolments (number int PRIMARY KEY)")

    def _run(self) -> None:
        number = 0
        while not self._ended.is_set():
            try:
                with psycopg.connect(self._name.url, autocommit=True, connect_timeout=5) as connection:
                    while not self._ended.is_set():
                        number += 1
                        connection.execute("INSERT INTO enrolments VALUES (%s)", [number])
                        self.acknowledged.append(number)
            except psycopg.OperationalError:
                self.refused += 1
                time.sleep(0.02)

    def __enter__(self) -> Writer:
        self._thread.start()
        self.more()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=60)

    def more(self, rows: int = 50) -> None:
        """Return when so many more were acknowledged."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) >= before + rows)

    def lost(self) -> set[int]:
        """What was acknowledged and is not there."""
        with psycopg.connect(self._name.url) as connection:
            return set(self.acknowledged) - {row[0] for row in connection.execute("SELECT number FROM enrolments")}


class Orders:
    """Who asks for a failover, and is told once."""

    def __init__(self) -> None:
        self.given = False

    def __call__(self) -> bool:
        given, self.given = self.given, False
        return given


@pytest.fixture(scope="module")
def name() -> Name:
    return Name()


@pytest.fixture(scope="module")
def orders() -> Orders:
    return Orders()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, name: Name, orders: Orders) -> Iterator[Pair]:
    folder, port = tmp_path_factory.mktemp("pair"), free_port()
    one, other = (
        Seat(zone, Place(address=f"127.0.33.{number}", port=port, link=f"127.0.34.{number}"))
        for number, zone in enumerate(("us-east-1a", "us-east-1b"), start=1)
    )
    made = Pair((one, other), folder / "servers", folder / "log", dict(os.environ), "127.0.0.0/8", name.lead, orders)
    try:
        made.start()
        yield made
    finally:
        made.stop()
    assert _servers_of(folder) == []


def _servers_of(folder: Path) -> list[int]:
    running = psutil.process_iter(["cwd"])
    return [one.pid for one in running if (one.info["cwd"] or "").startswith(str(folder))]


def in_step(pair: Pair) -> None:
    until(lambda: pair.describe()["state"] == "in step", told=lambda: (pair.trouble, pair.lost, pair.events))


def head(pair: Pair, zone: str) -> int:
    """The first process of a zone's server."""
    line = (pair.folder / zone / "data" / "postmaster.pid").read_text().splitlines()[0]
    return int(line)


def test_a_killed_primary_is_followed_by_its_standby_and_nothing_that_was_acknowledged_is_lost(
    pair: Pair, name: Name
) -> None:
    in_step(pair)
    first, second = pair.describe()["zone"], pair.describe()["standby"]
    times = len(name.zones)
    with Writer(name) as writer:
        old = name.url
        os.kill(head(pair, first), signal.SIGKILL)
        until(lambda: len(name.zones) > times, told=lambda: (pair.trouble, pair.events))
        writer.more()
    assert name.zones[times:] == [second]
    assert writer.lost() == set()
    assert writer.refused > 0
    # The old one comes back as a copy that follows, never as itself: it takes nobody in, and has a history it had not.
    in_step(pair)
    assert (pair.describe()["zone"], pair.describe()["standby"]) == (second, first)
    with pytest.raises(psycopg.OperationalError, match="pg_hba"):
        psycopg.connect(old, connect_timeout=5)
    standby = next(seat.place.address for seat in pair.seats if seat.zone == first)
    assert name.database
    with psycopg.connect(name.database.admin_url.replace(name.database.address, standby)) as connection:
        told = connection.execute("SELECT pg_is_in_recovery(), (SELECT timeline_id FROM pg_control_checkpoint())")
        recovering, timeline = told.fetchone() or (None, None)
    assert recovering
    assert timeline >= 2


def test_no_commit_is_acknowledged_that_the_standby_does_not_have(pair: Pair, name: Name) -> None:
    in_step(pair)
    frozen = _servers_of(pair.folder / pair.describe()["standby"])
    assert len(frozen) > 2
    with Writer(name) as writer:
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.2)  # what was under way arrives
            before = len(writer.acknowledged)
            time.sleep(0.5)
            assert len(writer.acknowledged) == before
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        writer.more()


def test_a_failover_that_is_ordered_happens_once(pair: Pair, name: Name, orders: Orders) -> None:
    in_step(pair)
    first, second = pair.describe()["zone"], pair.describe()["standby"]
    times = len(name.zones)
    with Writer(name) as writer:
        orders.given = True
        until(lambda: len(name.zones) > times, told=lambda: (pair.trouble, pair.events))
        writer.more()
        in_step(pair)
        writer.more()
    assert name.zones[times:] == [second]
    assert writer.lost() == set()
    assert not name.two_at_once  # the first had ended when the name came to lead to the second
    assert (pair.describe()["zone"], pair.describe()["standby"]) == (second, first)


def test_a_standby_that_is_away_holds_nobody_up_and_takes_over_only_when_another_is_in_step(
    pair: Pair, name: Name, orders: Orders
) -> None:
    in_step(pair)
    zone, standby = pair.describe()["zone"], pair.describe()["standby"]
    times, events = len(name.zones), len(pair.events)
    with Writer(name) as writer:
        os.kill(head(pair, standby), signal.SIGKILL)
        until(lambda: pair.describe()["state"] != "in step")
        orders.given = True
        writer.more(500)
        until(lambda: len(name.zones) > times, told=lambda: (pair.trouble, pair.events))
        writer.more()
    assert name.zones[times:] == [standby]
    assert writer.lost() == set()
    happened = [one.what for one in pair.events[events:]]
    assert "the standby ended; the primary goes on alone" in happened
    in_step_at = happened.index(f"the standby in {standby} is in step")
    assert in_step_at < happened.index("a failover was ordered: failover")
    in_step(pair)
    assert pair.describe()["standby"] == zone


def test_without_a_standby_in_step_the_primary_is_started_again_and_none_is_promoted(pair: Pair, name: Name) -> None:
    in_step(pair)
    zone, standby = pair.describe()["zone"], pair.describe()["standby"]
    times = len(name.zones)
    with Writer(name) as writer:
        for one in (standby, zone):
            os.kill(head(pair, one), signal.SIGKILL)
        writer.more()
    assert name.zones[times:] == []
    assert pair.describe()["zone"] == zone
    assert writer.lost() == set()
    in_step(pair)
