"""The stores of an environment on AWS, brought back to one second of the recent past beside the live ones.

Database and table keep every second of their last days: a second is chosen, with a manifest right before and one right
after it, and restored. Every copy costs what the original costs while it is there, and carries the tag `Drill`.
Whoever runs it has to be the account's administrator: nobody else may make a database.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg

from lyceum_ops import aws
from lyceum_ops.drill import items
from lyceum_ops.drill import postgres as comparing
from lyceum_ops.drill.manifest import Manifest
from lyceum_ops.drill.stores import MARK, Copy, Point, require_mark
from lyceum_ops.errors import LyceumError
from lyceum_ops.tunnel.login import Login

# Opens a way to a host's port 5432 and returns the port on this machine, for as long as the block lasts.
Reach = Callable[[str], AbstractContextManager[int]]


@dataclass(frozen=True)
class Pace:
    """Seconds: between two looks, and until AWS must have come so far. A database takes a quarter of an hour."""

    poll: float = 15.0
    recoverable: float = 20 * 60
    restored: float = 90 * 60
    settle: float = 1.5  # a chosen second has to be over before the manifest after it is taken
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def _wait(pace: Pace, what: str, seconds: float, holds: Callable[[], bool]) -> None:
    until = pace.clock() + seconds
    while not holds():
        if pace.clock() > until:
            raise LyceumError(f"{what} not within {seconds / 60:.0f} minutes.", "The next drill removes what it made.")
        pace.sleep(pace.poll)


def _chosen(pace: Pace, manifest: Callable[[], Manifest]) -> tuple[datetime, Manifest, Manifest]:
    """A whole second, with the manifests around it."""
    before = manifest()
    # AWS takes whole seconds: the next one, which nothing of the manifest before can be younger than.
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    while datetime.now(UTC) < second + timedelta(seconds=pace.settle):
        pace.sleep(0.2)
    return second, before, manifest()


@dataclass
class Database:
    """RDS. `owner` is who opens the live one; the copy gets a password of its own."""

    rds: Any
    environment: str
    owner: Login
    reach: Reach
    pace: Pace = field(default_factory=Pace)
    name: str = "database"
    _open: dict[str, ExitStack] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    @property
    def live(self) -> str:
        return f"lyceum-{self.environment}-database"

    def protect(self) -> Point:
        second, before, after = _chosen(self.pace, self._manifest)
        self._recoverable(second)
        return Point(f"{self.live} at {second:%Y-%m-%dT%H:%M:%SZ}", second, before, after)

    def restore(self, point: Point, number: str) -> Copy:
        with self.bring_back(point.taken, number).connect() as copy:
            return Copy(self._copy(number), comparing.manifest(copy), tuple(comparing.faults(copy)))

    def oldest(self) -> datetime:
        """How far back it can be brought: as long as RDS keeps its log."""
        told = self._told(self.live)
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=told["BackupRetentionPeriod"])
        made: datetime = told.get("InstanceCreateTime", began)
        return max(began, made)

    def bring_back(self, second: datetime, number: str) -> Login:
        """A copy as of that second, and who logs in to it."""
        name, password = self._copy(number), secrets.token_urlsafe(24)
        self._recoverable(second)
        told = self._told(self.live)
        where = {"DBSubnetGroupName": told["DBSubnetGroup"]["DBSubnetGroupName"]} if "DBSubnetGroup" in told else {}
        with aws.asking("rds"):
            self.rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=self.live, TargetDBInstanceIdentifier=require_mark(name, number),
                RestoreTime=second, DBInstanceClass=told["DBInstanceClass"],
                VpcSecurityGroupIds=[one["VpcSecurityGroupId"] for one in told["VpcSecurityGroups"]],
                DBParameterGroupName=told["DBParameterGroups"][0]["DBParameterGroupName"],
                PubliclyAccessible=False, MultiAZ=False, DeletionProtection=False, CopyTagsToSnapshot=False,
                Tags=[{"Key": "Drill", "Value": number}], **where,
            )  # fmt: skip
        self._available(name)
        with aws.asking("rds"):
            # The owner's password is the one of then, which nobody keeps; no backups are made of a copy.
            self.rds.modify_db_instance(
                DBInstanceIdentifier=name, MasterUserPassword=password, BackupRetentionPeriod=0, ApplyImmediately=True
            )
        self.pace.sleep(self.pace.poll)  # it says that it is available until the change begins
        self._available(name)
        ways = self._open[name] = ExitStack()
        port = ways.enter_context(self.reach(str(self._told(name)["Endpoint"]["Address"])))
        who = Login(self.owner.user, password, port, self.owner.name)
        user, word = quote(who.user, safe=""), quote(password, safe="")
        self._urls[name] = f"postgresql://{user}:{word}@127.0.0.1:{port}/{who.name}?sslmode=require"
        return who

    def url(self, number: str) -> str:
        """The address of a copy that was brought back, with its password."""
        return self._urls[self._copy(number)]

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        found = MARK.search(copy.name)
        with psycopg.connect(self._urls[copy.name], autocommit=True) as restored:
            restored.execute("CREATE TABLE lyceum_drill (number text PRIMARY KEY)")
            restored.execute("INSERT INTO lyceum_drill VALUES (%s)", [found[1] if found else ""])
        return {"DATABASE_URL": self._urls[copy.name]}

    def left(self) -> list[str]:
        with aws.asking("rds"):
            pages = list(self.rds.get_paginator("describe_db_instances").paginate())
        prefix = f"lyceum-{self.environment}-drill-"
        return [
            one["DBInstanceIdentifier"]
            for page in pages for one in page["DBInstances"]
            if one["DBInstanceIdentifier"].startswith(prefix) and one["DBInstanceStatus"] != "deleting"
        ]  # fmt: skip

    def remove(self, name: str) -> None:
        require_mark(name)
        if ways := self._open.pop(name, None):
            ways.close()
        guarded = self._told(name).get("DeletionProtection")  # as of a copy that was made of a protected original
        with aws.asking("rds"):
            if guarded:
                self.rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
            self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def _copy(self, number: str) -> str:
        return f"lyceum-{self.environment}-drill-{number}-database"

    def _recoverable(self, second: datetime) -> None:
        _wait(self.pace, f"{self.live} was not restorable to {second:%H:%M:%S}:", self.pace.recoverable,
              lambda: self._told(self.live)["LatestRestorableTime"] >= second)  # fmt: skip

    def _manifest(self) -> Manifest:
        with self.owner.connect() as live, comparing.snapshot(live):
            return comparing.manifest(live)

    def _told(self, name: str) -> Any:
        with aws.asking("rds"):
            return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def _available(self, name: str) -> None:
        _wait(self.pace, f"{name} was not available", self.pace.restored,
              lambda: self._told(name)["DBInstanceStatus"] == "available")  # fmt: skip


@dataclass
class Table:
    """DynamoDB, by its point-in-time recovery."""

    dynamodb: Any
    environment: str
    pace: Pace = field(default_factory=Pace)
    name: str = "progress"

    @property
    def live(self) -> str:
        return f"lyceum-{self.environment}-progress"

    def protect(self) -> Point:
        second, before, after = _chosen(self.pace, lambda: items.of_table(self.dynamodb, self.live))
        _wait(self.pace, f"{self.live} was not restorable to {second:%H:%M:%S}:", self.pace.recoverable,
              lambda: self._latest() >= second)  # fmt: skip
        return Point(f"{self.live} at {second:%Y-%m-%dT%H:%M:%SZ}", second, before, after)

    def restore(self, point: Point, number: str) -> Copy:
        name = f"lyceum-{self.environment}-drill-{number}-progress"
        with aws.asking("dynamodb"):
            self.dynamodb.restore_table_to_point_in_time(
                SourceTableName=self.live, TargetTableName=require_mark(name, number), RestoreDateTime=point.taken
            )
        _wait(self.pace, f"{name} was not there", self.pace.restored, lambda: self._status(name) == "ACTIVE")
        return Copy(name, items.of_table(self.dynamodb, name))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"PROGRESS_URL": f"dynamodb://{copy.name}"}

    def left(self) -> list[str]:
        with aws.asking("dynamodb"):
            pages = list(self.dynamodb.get_paginator("list_tables").paginate())
        prefix = f"lyceum-{self.environment}-drill-"
        names = [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
        return [name for name in names if self._status(name) != "DELETING"]

    def remove(self, name: str) -> None:
        require_mark(name)
        # While it is being restored AWS refuses to delete it.
        _wait(
            self.pace, f"{name} could not be removed", self.pace.restored, lambda: self._status(name) != "CREATING"
        )  # fmt: skip
        with aws.asking("dynamodb"):
            self.dynamodb.delete_table(TableName=name)

    def _status(self, name: str) -> str:
        with aws.asking("dynamodb"):
            return str(self.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"])

    def _latest(self) -> datetime:
        with aws.asking("dynamodb"):
            told = self.dynamodb.describe_continuous_backups(TableName=self.live)["ContinuousBackupsDescription"]
        recovery = told.get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise LyceumError(f"The point-in-time recovery of {self.live} is off.", "See docs/runbook/drift.md.")
        latest: datetime = recovery["LatestRestorableDateTime"]
        return latest
