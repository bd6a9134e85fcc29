"""The objects that a course's rows name, in a bucket that keeps versions: back with those that were deleted.

Deleting a course deletes none of them, loading one anew may. A deleted object is copied from its own version of then to
the top: the bucket only gains, and what was gained can be taken away again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lyceum_ops import aws


@dataclass
class Objects:
    """Keys by how they are: `there`; `deleted`, with the version that was there then; `lost`, of which none is kept."""

    there: list[str] = field(default_factory=list)
    deleted: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


@dataclass
class Bucket:
    s3: Any
    name: str
    _made: list[tuple[str, str]] = field(default_factory=list)

    def look(self, keys: list[str], at: datetime) -> Objects:
        """How these keys are now, and which of their versions was there at that time."""
        found = Objects()
        with aws.asking("s3"):
            for key in keys:
                latest, then = self._versions(key, at)
                if latest:
                    found.there.append(key)
                elif then:
                    found.deleted[key] = then
                else:
                    found.lost.append(key)
        return found

    def bring_back(self, deleted: dict[str, str]) -> None:
        """Have these versions on top again. `take_back` undoes it."""
        with aws.asking("s3"):
            for key, version in deleted.items():
                source = {"Bucket": self.name, "Key": key, "VersionId": version}
                made = self.s3.copy_object(Bucket=self.name, Key=key, CopySource=source)
                self._made.append((key, made["VersionId"]))

    def take_back(self) -> None:
        """Remove what `bring_back` made, and nothing else."""
        with aws.asking("s3"):
            while self._made:
                key, version = self._made[-1]
                self.s3.delete_object(Bucket=self.name, Key=key, VersionId=version)
                self._made.pop()

    def _versions(self, key: str, at: datetime) -> tuple[bool, str]:
        """Whether the key is there; and the version that was there at that time, or was the last before it."""
        then: tuple[datetime, str] | None = None
        latest = False
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=key):
            for one in page.get("Versions", []):
                if one["Key"] != key:
                    continue
                latest = latest or one["IsLatest"]
                # S3 tells whole seconds. One that was deleted before then was not the course's to show, and is better
                # than none: a key holds the hash of its bytes, so that all of its versions are the same.
                if one["LastModified"] <= at and (then is None or one["LastModified"] > then[0]):
                    then = (one["LastModified"], one["VersionId"])
        return latest, then[1] if then else ""
