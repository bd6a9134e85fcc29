"""The weekly recovery points of AWS Backup, and what is made of one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.errors import LyceumError

PAGE = "See docs/runbook/backup-failed.md."
# Both are told with a fraction of a second; what is brought back by a service's own log, to whole seconds.
SECOND = timedelta(seconds=1)
# A week, and the day on which the next one is made.
OLDEST = timedelta(days=8)


@dataclass(frozen=True)
class RecoveryPoint:
    """One copy of one resource. It was taken at some instant from `began` to `ended`, which AWS does not tell."""

    arn: str
    began: datetime
    ended: datetime


@dataclass
class Vault:
    """Of an environment. `role` is the ARN of the role as which AWS Backup copies and restores."""

    backup: Any
    name: str
    role: str
    pace: Pace = field(default_factory=Pace)
    # Set when the drill removes its copies: a job cannot be ended, but nothing more is made of what it restored.
    ended: Event = field(default_factory=Event)

    @property
    def partition(self) -> str:
        return self.role.split(":")[1]

    def newest(self, resource: str) -> RecoveryPoint:
        """The newest whole copy of a resource, by its ARN. Raises LyceumError when there is none of the last week."""
        asked = {"BackupVaultName": self.name, "ByResourceArn": resource}
        with aws.asking("backup"):
            pages = list(self.backup.get_paginator("list_recovery_points_by_backup_vault").paginate(**asked))
        found = [one for page in pages for one in page["RecoveryPoints"] if one["Status"] == "COMPLETED"]
        if not found:
            raise LyceumError(f"{self.name} keeps no recovery point of {resource}.", PAGE)
        last = max(found, key=lambda one: one["CreationDate"])
        began = min(last["CreationDate"], last.get("InitiationDate", last["CreationDate"])).astimezone(UTC)
        if began < datetime.now(UTC) - OLDEST:
            raise LyceumError(f"The newest recovery point of {resource} is of {began:%Y-%m-%d %H:%M} UTC.", PAGE)
        ended = last["CompletionDate"].astimezone(UTC) + SECOND
        return RecoveryPoint(last["RecoveryPointArn"], began.replace(microsecond=0), ended.replace(microsecond=0))

    def restore(self, point: str, kind: str, metadata: Mapping[str, str]) -> str:
        """The ARN of what was made of a point, once its job has ended; "" where AWS does not tell it.

        `kind` is AWS Backup's word for the resource, and decides what `metadata` has to say. Raises LyceumError with
        AWS's reason.
        """
        with aws.asking("backup"):
            job = self.backup.start_restore_job(
                RecoveryPointArn=point, ResourceType=kind, IamRoleArn=self.role, Metadata=dict(metadata),
                IdempotencyToken=secrets.token_hex(16),
            )["RestoreJobId"]  # fmt: skip
        self.pace.wait(f"Restore job {job} had not ended", self.pace.from_vault, lambda: self._is_over(job))
        if self.ended.is_set():
            raise LyceumError(f"The drill ended while restore job {job} was under way.")
        return str(self._told(job).get("CreatedResourceArn", ""))

    def _is_over(self, job: str) -> bool:
        told = self._told(job)
        if told["Status"] in {"ABORTED", "FAILED"}:
            raise LyceumError(f"AWS Backup {told['Status'].lower()} restore job {job}: {told.get('StatusMessage', '')}")
        return bool(told["Status"] == "COMPLETED")

    def _told(self, job: str) -> Any:
        with aws.asking("backup"):
            return self.backup.describe_restore_job(RestoreJobId=job)
