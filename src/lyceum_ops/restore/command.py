"""`./lyceum restore course ENV COURSE` on AWS: who asks, the ways to the databases, the bucket, the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from lyceum_ops import aws, operate
from lyceum_ops.drill.amazon import Database
from lyceum_ops.errors import Refused
from lyceum_ops.operate import Asked, Here
from lyceum_ops.restore.content import Bucket
from lyceum_ops.restore.course import Brought, Opened, Stores, restore
from lyceum_ops.restore.progress import Items
from lyceum_ops.restore.release import migrating
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.forward import Way


def course(
    here: Here, environment: str, slug: str, at: datetime | None, *, dry_run: bool, asked: Asked
) -> Brought:  # fmt: skip
    """Bring a course of an environment on AWS back."""
    operate.require_environment(here, environment)
    forward.require_plugin()
    session = aws.session(operate.setting("region", asked) or None)
    caller = aws.identify(session)
    operate.require_account(here, f"platform-{environment}", asked, caller)
    if caller.is_deployer:
        raise Refused("The deployer may not read the database.", "Use an administrator's credentials.")
    live = Live(session, environment)
    with live.way() as port:
        owner = login.owner(session, live.database, port)
    stores = Stores(
        live.connect,
        Past(Database(session.client("rds"), environment, owner, live.reach)),
        Bucket(session.client("s3"), f"lyceum-{environment}-content-{caller.account}"),
        Items(session.client("dynamodb"), f"lyceum-{environment}-progress"),
        migrating(here.infra.parent),
    )
    return restore(slug, at, stores, dry_run=dry_run)


class Live:
    """The live database, by a session of its own each time: while a copy is made, an open one would end for idleness.

    The owner's password is asked for each time, too: RDS changes it every seven days.
    """

    def __init__(self, session: Any, environment: str) -> None:
        self._session, self._environment = session, environment
        self.database = place.find_database(session, f"lyceum-{environment}-database")
        self._bastion = place.find_bastion(session, environment)

    @contextmanager
    def way(self) -> Iterator[int]:
        """The port of this machine that leads to it."""
        with forward.opened(self._session, Way.to_database(self._bastion, self._environment)) as opened:
            yield opened.port

    @contextmanager
    def connect(self) -> Iterator[Connection[Any]]:
        """As the owner of its tables."""
        with self.way() as port, login.owner(self._session, self.database, port).connect() as connection:
            yield connection

    @contextmanager
    def reach(self, host: str) -> Iterator[int]:
        """Another host in its network."""
        with forward.opened(self._session, Way.to_host(self._bastion, host, 5432)) as opened:
            yield opened.port


@dataclass(frozen=True)
class Past:
    """RDS's point-in-time recovery, as the drill uses it."""

    database: Database

    def oldest(self) -> datetime:
        return self.database.oldest()

    def bring_back(self, at: datetime, number: str) -> Opened:
        return Opened(self.database.bring_back(at, number).connect, self.database.url(number))

    def left(self) -> list[str]:
        return self.database.left()

    def remove(self, name: str) -> None:
        self.database.remove(name)
