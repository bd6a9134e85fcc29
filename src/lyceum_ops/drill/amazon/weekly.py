"""Database, table and bucket out of the vault: the newest weekly recovery points, restored beside the live ones.

No recovery point tells at which instant it was taken, and what is live has gone on since. So each is held against what
was there when its copying began and when it had ended: of database and table by their own logs, which bring both
moments back; of the bucket by the versions that it keeps. What was the same at both has to be the same in the copy.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill import items
from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.database import Database
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.amazon.table import Table
from lyceum_ops.drill.amazon.vault import RecoveryPoint, Vault
from lyceum_ops.drill.manifest import Manifest
from lyceum_ops.drill.stores import Copy, Keeper, Point, copy_name, prefix
from lyceum_ops.errors import LyceumError

# Whatever the time is at S3.
NOW = datetime.max.replace(tzinfo=UTC)


def _held_against(point: RecoveryPoint, oldest: datetime, then: Callable[[datetime], Manifest]) -> Point:
    """The recovery point, with the manifests around it. Raises LyceumError for one that no log reaches back to."""
    if point.began < oldest:
        raise LyceumError(
            f"{point.arn} is of {point.began:%Y-%m-%d %H:%M} UTC, and the log that it would be held against begins at "
            f"{oldest:%Y-%m-%d %H:%M}.",
            "Run the drill within the six days after a weekly backup; docs/runbook/backup-failed.md if there was none.",
        )
    return Point(point.arn, point.began, then(point.began), then(point.ended))


def _then(store: Keeper, restore: Callable[[Point, str], Copy], second: datetime) -> Manifest:
    """What a store held at that second, by its own log: out of a copy that goes again at once."""
    number = secrets.token_hex(4)
    try:
        return restore(Point("", second, {}, {}), number).manifest
    finally:
        for name in store.left():
            if number in name:
                store.remove(name)


@dataclass
class WeeklyDatabase(Database):
    """RDS: the snapshot that AWS Backup keeps."""

    vault: Vault = field(kw_only=True)

    def newest(self) -> RecoveryPoint:
        return self.vault.newest(self._told(self.live)["DBInstanceArn"])

    def protect(self) -> Point:
        return _held_against(self.newest(), self.oldest(), partial(_then, self, super().restore))

    def restore(self, point: Point, number: str) -> Copy:
        name = self._copy(number)
        self.vault.restore(point.name, "RDS", {
            "DBInstanceIdentifier": name,
            # As text, and what is no text as JSON.
            **{key: value if isinstance(value, str) else json.dumps(value) for key, value in self._beside().items()},
        })  # fmt: skip
        with aws.asking("rds"):
            tags = [{"Key": "Drill", "Value": number}]
            self.rds.add_tags_to_resource(ResourceName=self._told(name)["DBInstanceArn"], Tags=tags)
        return self._looked_at(name, self._taken_over(name))


@dataclass
class WeeklyTable(Table):
    """DynamoDB: the backup that AWS Backup keeps."""

    vault: Vault = field(kw_only=True)

    def newest(self) -> RecoveryPoint:
        with aws.asking("dynamodb"):
            arn = self.dynamodb.describe_table(TableName=self.live)["Table"]["TableArn"]
        return self.vault.newest(arn)

    def protect(self) -> Point:
        return _held_against(self.newest(), self.oldest(), partial(_then, self, super().restore))

    def restore(self, point: Point, number: str) -> Copy:
        name = self._copy(number)
        self.vault.restore(point.name, "DynamoDB", {"targetTableName": name, "encryptionType": "Default"})
        return self._looked_at(name)


@dataclass
class WeeklyBucket:
    """S3: what was the newest version of each object. AWS Backup restores no older ones."""

    s3: Any
    environment: str
    account: str
    vault: Vault
    pace: Pace = field(default_factory=Pace)
    # S3 dates an object by when its upload began: what was begun within this time may have come after the copy. Later
    # the bucket itself ends an upload in parts (abort_upload_days).
    uploads: timedelta = timedelta(days=2)
    name: str = "content"

    @property
    def live(self) -> str:
        return f"lyceum-{self.environment}-content-{self.account}"

    def newest(self) -> RecoveryPoint:
        return self.vault.newest(f"arn:{self.vault.partition}:s3:::{self.live}")

    def protect(self) -> Point:
        point = self.newest()
        before, after = items.of_objects_at(self.s3, self.live, point.began - self.uploads, point.ended)
        return Point(point.arn, point.began, before, after)

    def restore(self, point: Point, number: str) -> Copy:
        name = copy_name(self.environment, number, f"content-{self.account}")
        self.vault.restore(point.name, "S3", {
            "DestinationBucketName": name, "NewBucket": "true", "EncryptionType": "original",
            "CreationToken": secrets.token_hex(16),
        })  # fmt: skip
        (found,) = items.of_objects_at(self.s3, name, NOW)
        return Copy(name, found)

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"CONTENT_URL": f"s3://{copy.name}"}

    def left(self) -> list[str]:
        return buckets.left(self.s3, prefix(self.environment), f"-content-{self.account}")

    def remove(self, name: str) -> None:
        buckets.remove(self.s3, name, self.pace)
