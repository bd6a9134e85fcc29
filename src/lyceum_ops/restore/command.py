"""`./lyceum restore course ENV COURSE` on AWS: who asks, the ways to the databases, the bucket, the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lyceum_ops.drill import live
from lyceum_ops.drill.amazon.database import Database
from lyceum_ops.drill.release import migrating
from lyceum_ops.operate import Asked, Here
from lyceum_ops.restore.content import Bucket
from lyceum_ops.restore.course import Brought, Opened, Stores, restore
from lyceum_ops.restore.progress import Items


def course(
    here: Here, environment: str, slug: str, at: datetime | None, *, dry_run: bool, asked: Asked
) -> Brought:  # fmt: skip
    """Bring a course of an environment on AWS back."""
    found = live.find(here, environment, asked=asked)
    with found.way() as port:
        owner = found.owner(port)
    stores = Stores(
        found.connect,
        Past(Database(found.session.client("rds"), environment, owner, found.reach)),
        Bucket(found.session.client("s3"), f"lyceum-{environment}-content-{found.account}"),
        Items(found.session.client("dynamodb"), f"lyceum-{environment}-progress"),
        migrating(here.infra.parent),
    )
    return restore(slug, at, stores, dry_run=dry_run)


@dataclass(frozen=True)
class Past:
    """RDS's point-in-time recovery, as the drill uses it."""

    database: Database

    @property
    def name(self) -> str:
        return self.database.name

    def oldest(self) -> datetime:
        return self.database.oldest()

    def bring_back(self, at: datetime, number: str) -> Opened:
        return Opened(self.database.bring_back(at, number).connect, self.database.url(number))

    def left(self) -> list[str]:
        return self.database.left()

    def remove(self, name: str) -> None:
        self.database.remove(name)
