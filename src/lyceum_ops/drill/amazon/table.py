"""DynamoDB: a copy of the learners' progress as of one second, by point-in-time recovery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill import items
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.stores import Copy, Point, copy_name, prefix, require_mark
from lyceum_ops.errors import LyceumError


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
        second, before, after = self.pace.around(lambda: items.of_table(self.dynamodb, self.live))
        self.pace.wait(f"{self.live} was not restorable to {second:%H:%M:%S}", self.pace.recoverable,
              lambda: self._latest() >= second)  # fmt: skip
        return Point(f"{self.live} at {second:%Y-%m-%dT%H:%M:%SZ}", second, before, after)

    def restore(self, point: Point, number: str) -> Copy:
        name = self._copy(number)
        with aws.asking("dynamodb"):
            self.dynamodb.restore_table_to_point_in_time(
                SourceTableName=self.live, TargetTableName=name, RestoreDateTime=point.taken
            )
        return self._looked_at(name)

    def _looked_at(self, name: str) -> Copy:
        self.pace.wait(f"{name} was not there", self.pace.restored, lambda: self._status(name) == "ACTIVE")
        return Copy(name, items.of_table(self.dynamodb, name))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"PROGRESS_URL": f"dynamodb://{copy.name}"}

    def left(self) -> list[str]:
        with aws.asking("dynamodb"):
            pages = list(self.dynamodb.get_paginator("list_tables").paginate())
        found = (name for page in pages for name in page["TableNames"])
        names = [name for name in found if name.startswith(prefix(self.environment))]
        return [name for name in names if self._status(name) != "DELETING"]

    def remove(self, name: str) -> None:
        require_mark(name)
        # While it is being restored AWS refuses to delete it.
        self.pace.wait(
            f"{name} could not be removed", self.pace.restored, lambda: self._status(name) != "CREATING"
        )  # fmt: skip
        with aws.asking("dynamodb"):
            self.dynamodb.delete_table(TableName=name)

    def _copy(self, number: str) -> str:
        return copy_name(self.environment, number, "progress")

    def _status(self, name: str) -> str:
        with aws.asking("dynamodb"):
            return str(self.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"])

    def oldest(self) -> datetime:
        """How far back it can be brought."""
        oldest: datetime = self._recovery()["EarliestRestorableDateTime"]
        return oldest

    def _latest(self) -> datetime:
        latest: datetime = self._recovery()["LatestRestorableDateTime"]
        return latest

    def _recovery(self) -> Any:
        with aws.asking("dynamodb"):
            told = self.dynamodb.describe_continuous_backups(TableName=self.live)["ContinuousBackupsDescription"]
        recovery = told.get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise LyceumError(f"The point-in-time recovery of {self.live} is off.", "See docs/runbook/drift.md.")
        return recovery
