"""RDS: a copy of the database as of one second, in its own subnets, with a password of its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg

from lyceum_ops import aws
from lyceum_ops.drill import postgres as comparing
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.manifest import Manifest
from lyceum_ops.drill.stores import MARK, Copy, Point, copy_name, prefix, require_mark
from lyceum_ops.tunnel.login import Login

# Opens a way to a host's port 5432 and returns the port on this machine, for as long as the block lasts.
Reach = Callable[[str], AbstractContextManager[int]]


@dataclass
class Database:
    """RDS. `owner` is who opens the live one; the copy gets a password of its own."""

    rds: Any
    environment: str
    owner: Login
    reach: Reach
    pace: Pace = field(default_factory=Pace)
    name: str = "database"
    _passwords: dict[str, str] = field(default_factory=dict)
    _ways: dict[str, ExitStack] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    @property
    def live(self) -> str:
        return f"lyceum-{self.environment}-database"

    def protect(self) -> Point:
        second, before, after = self.pace.around(self._manifest)
        self._recoverable(second)
        return Point(f"{self.live} at {second:%Y-%m-%dT%H:%M:%SZ}", second, before, after)

    def restore(self, point: Point, number: str) -> Copy:
        return self._looked_at(self._copy(number), self.bring_back(point.taken, number))

    def oldest(self) -> datetime:
        """How far back it can be brought: as long as RDS keeps its log."""
        told = self._told(self.live)
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=told["BackupRetentionPeriod"])
        made: datetime = told.get("InstanceCreateTime", began)
        return max(began, made)

    def bring_back(self, second: datetime, number: str) -> Login:
        """A copy as of that second, and who logs in to it."""
        name = self._copy(number)
        self._recoverable(second)
        beside = self._beside()
        with aws.asking("rds"):
            self.rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=self.live, TargetDBInstanceIdentifier=name, RestoreTime=second,
                CopyTagsToSnapshot=False, Tags=[{"Key": "Drill", "Value": number}], **beside,
            )  # fmt: skip
        return self._taken_over(name)

    def _beside(self) -> dict[str, Any]:
        """As what a copy is made: where the live one stands and as it is, but alone, private and removable."""
        told = self._told(self.live)
        where = {"DBSubnetGroupName": told["DBSubnetGroup"]["DBSubnetGroupName"]} if "DBSubnetGroup" in told else {}
        return {
            "DBInstanceClass": told["DBInstanceClass"],
            "VpcSecurityGroupIds": [one["VpcSecurityGroupId"] for one in told["VpcSecurityGroups"]],
            "DBParameterGroupName": told["DBParameterGroups"][0]["DBParameterGroupName"],
            "PubliclyAccessible": False, "MultiAZ": False, "DeletionProtection": False, **where,
        }  # fmt: skip

    def _taken_over(self, name: str) -> Login:
        """A copy that is being made, once it answers. The owner's password is the one of then, which nobody keeps."""
        self._available(name)
        password = self._passwords[name] = secrets.token_urlsafe(24)
        with aws.asking("rds"):
            # No backups are made of a copy.
            self.rds.modify_db_instance(
                DBInstanceIdentifier=name, MasterUserPassword=password, BackupRetentionPeriod=0, ApplyImmediately=True
            )
        self.pace.sleep(self.pace.poll)
        self._available(name)
        return self._login(name)

    def _login(self, name: str) -> Login:
        """Who logs in to a copy, by a new way: one that nobody used for a while is closed at the other end."""
        if ways := self._ways.pop(name, None):
            ways.close()
        ways = self._ways[name] = ExitStack()
        port = ways.enter_context(self.reach(str(self._told(name)["Endpoint"]["Address"])))
        who = Login(self.owner.user, self._passwords[name], port, self.owner.name)
        user, word = quote(who.user, safe=""), quote(who.password, safe="")
        self._urls[name] = f"postgresql://{user}:{word}@127.0.0.1:{port}/{who.name}?sslmode=require"
        return who

    def _looked_at(self, name: str, who: Login) -> Copy:
        with who.connect() as copy:
            return Copy(name, comparing.manifest(copy), tuple(comparing.faults(copy)))

    def url(self, number: str) -> str:
        """The address of a copy that was brought back, with its password."""
        return self._urls[self._copy(number)]

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        found = MARK.search(copy.name)
        self._login(copy.name)
        with psycopg.connect(self._urls[copy.name], autocommit=True) as restored:
            restored.execute("CREATE TABLE lyceum_drill (number text PRIMARY KEY)")
            restored.execute("INSERT INTO lyceum_drill VALUES (%s)", [found[1] if found else ""])
        return {"DATABASE_URL": self._urls[copy.name]}

    def left(self) -> list[str]:
        with aws.asking("rds"):
            pages = list(self.rds.get_paginator("describe_db_instances").paginate())
        there = [one for page in pages for one in page["DBInstances"] if one["DBInstanceStatus"] != "deleting"]
        names = [str(one["DBInstanceIdentifier"]) for one in there]
        return [name for name in names if name.startswith(prefix(self.environment))]

    def remove(self, name: str) -> None:
        require_mark(name)
        if ways := self._ways.pop(name, None):
            ways.close()
        guarded = self._told(name).get("DeletionProtection")  # as of a copy that was made of a protected original
        with aws.asking("rds"):
            if guarded:
                self.rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
            self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def _copy(self, number: str) -> str:
        return copy_name(self.environment, number, "database")

    def _recoverable(self, second: datetime) -> None:
        self.pace.wait(f"{self.live} was not restorable to {second:%H:%M:%S}", self.pace.recoverable,
              lambda: self._told(self.live)["LatestRestorableTime"] >= second)  # fmt: skip

    def _manifest(self) -> Manifest:
        with self.owner.connect() as live, comparing.snapshot(live):
            return comparing.manifest(live)

    def _told(self, name: str) -> Any:
        with aws.asking("rds"):
            return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def _available(self, name: str) -> None:
        def available() -> bool:
            told = self._told(name)
            # It says that it is available before a change begins, and between two.
            return told["DBInstanceStatus"] == "available" and not told.get("PendingModifiedValues")

        self.pace.wait(f"{name} was not available", self.pace.restored, available)
