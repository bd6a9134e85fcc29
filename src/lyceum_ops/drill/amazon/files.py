"""The shared files out of the vault: a file system of its own, with a mount target, read by an instance (reader.py).

What has to be there is what the live database says of files that were shared before the copying began: a shared file
never changes. What was removed since is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from lyceum_ops import aws
from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.amazon.reader import Reader
from lyceum_ops.drill.amazon.vault import RecoveryPoint, Vault
from lyceum_ops.drill.manifest import part
from lyceum_ops.drill.stores import Copy, Point, copy_name, prefix, require_mark
from lyceum_ops.errors import LyceumError, Refused

SHARED = "SELECT course_id, id, sha256 FROM shared_sharedfile WHERE uploaded_at < %s"
# A line of sha256sum, for a file of a course: <anything>/<course>/<file>.
LINE = re.compile(r"([0-9a-f]{64})  .*?/(\d+/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass
class WeeklyFiles:
    """EFS. `connect` opens the live database."""

    efs: Any
    reader: Reader
    account: str
    connect: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    vault: Vault
    pace: Pace = field(default_factory=Pace)
    name: str = "files"
    _expected: frozenset[str] = frozenset()

    @property
    def live(self) -> str:
        return f"lyceum-{self.reader.environment}-files"

    def newest(self) -> RecoveryPoint:
        return self.vault.newest(self._live()["FileSystemArn"])

    def protect(self) -> Point:
        point = self.newest()
        with self.connect() as database:
            found = database.execute(SHARED, [point.began]).fetchall()
        rows = [(f"{course}/{file}", sha) for course, file, sha in found]
        self._expected = frozenset(key for key, _ in rows)
        shared = {"files": part((key, f"{key} {sha}") for key, sha in rows)}
        return Point(point.arn, point.began, shared, shared)

    def restore(self, point: Point, number: str) -> Copy:
        name = copy_name(self.reader.environment, number, self.name)
        live = self._live()
        restored = self.vault.restore(point.name, "EFS", {
            "file-system-id": live["FileSystemId"], "newFileSystem": "true", "Encrypted": "true",
            "KmsKeyId": live["KmsKeyId"], "PerformanceMode": live["PerformanceMode"], "CreationToken": name,
        })  # fmt: skip
        system = restored.rpartition("/")[2]
        if system in {"", live["FileSystemId"]}:
            raise Refused(f"AWS Backup restored into {system or 'no file system that it names'}, which is left alone.")
        with aws.asking("elasticfilesystem"):
            tags = [{"Key": "Name", "Value": name}, {"Key": "Drill", "Value": number}]
            self.efs.tag_resource(ResourceId=system, Tags=tags)
        place = self.reader.beside(self._mountable(system, live["FileSystemId"]))
        lines = self.reader.read(name, number, f"{name}-{self.account}", system, place)
        found = {match[2]: match[1] for match in map(LINE.fullmatch, lines.splitlines()) if match}
        rows = ((key, f"{key} {sha}") for key, sha in found.items() if key in self._expected)
        return Copy(name, {"files": part(rows)})

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {}  # nor can the machine on which the learner is tried mount it

    def left(self) -> list[str]:
        found = {name for name, _ in self._systems()} | {name for name, _ in self.reader.left()}
        return sorted(found | {name.removesuffix(f"-{self.account}") for name in self._buckets()})

    def remove(self, name: str) -> None:
        require_mark(name)
        for of, instance in self.reader.left():
            if of == name:
                self.reader.end(instance)
        for of, system in self._systems():
            if of == name:
                self._unmade(system)
        for bucket in self._buckets():
            if bucket == f"{name}-{self.account}":
                buckets.remove(self.reader.s3, bucket, self.pace)

    def _live(self) -> Any:
        with aws.asking("elasticfilesystem"):
            found = self.efs.describe_file_systems(CreationToken=self.live)["FileSystems"]
        if not found:
            raise LyceumError(f"There is no file system {self.live}.", "Was the environment applied?")
        return found[0]

    def _targets(self, system: str) -> list[Any]:
        with aws.asking("elasticfilesystem"):
            return list(self.efs.describe_mount_targets(FileSystemId=system)["MountTargets"])

    def _mountable(self, system: str, live: str) -> str:
        """A mount target as the live file system has one. Returns its subnet."""
        targets = self._targets(live)
        if not targets:
            raise LyceumError(f"{self.live} has no mount target.", "See docs/runbook/files-io.md.")
        with aws.asking("elasticfilesystem"):
            told = self.efs.describe_mount_target_security_groups(MountTargetId=targets[0]["MountTargetId"])
            self.efs.create_mount_target(
                FileSystemId=system, SubnetId=targets[0]["SubnetId"], SecurityGroups=told["SecurityGroups"]
            )
        self.pace.wait(
            f"The mount target of {system} was not available", self.pace.mountable,
            lambda: [one["LifeCycleState"] for one in self._targets(system)] == ["available"],
        )  # fmt: skip
        return str(targets[0]["SubnetId"])

    def _unmade(self, system: str) -> None:
        for target in self._targets(system):
            if target["LifeCycleState"] not in {"deleting", "deleted"}:
                with aws.asking("elasticfilesystem"):
                    self.efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        self.pace.wait(
            f"The mount target of {system} was not removed", self.pace.mountable, lambda: not self._targets(system)
        )
        with aws.asking("elasticfilesystem"):
            self.efs.delete_file_system(FileSystemId=system)

    def _systems(self) -> list[tuple[str, str]]:
        """Of which copy each file system is that a drill made, and which it is."""
        with aws.asking("elasticfilesystem"):
            pages = list(self.efs.get_paginator("describe_file_systems").paginate())
        found = []
        for one in (one for page in pages for one in page["FileSystems"]):
            # By its token from its first moment on, by its tag once it is restored; the live one by no tag whatever.
            names = [name for name in (one["CreationToken"], one.get("Name", "")) if self._is_copy(name)]
            if names and one["CreationToken"] != self.live and one["LifeCycleState"] not in {"deleting", "deleted"}:
                found.append((names[0], one["FileSystemId"]))
        return found

    def _is_copy(self, name: str) -> bool:
        return name.startswith(prefix(self.reader.environment)) and name.endswith(f"-{self.name}")

    def _buckets(self) -> list[str]:
        return buckets.left(self.reader.s3, prefix(self.reader.environment), f"-{self.name}-{self.account}")
