"""What ran when, and under whose identity: one object an event in the bucket of releases, which nobody can alter.

An event that began and has no end was cut off from its command; AWS knows how it ended for six weeks.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.releases.lock import Clock, now

# No version begins with a dot: the ledger is never taken for an artifact.
PREFIX = ".history/"
LIVE, ROLLED_BACK, FAILED, CANCELLED = "live", "rolled back", "failed", "cancelled"
# As AWS says how a refresh ended; every other word is a failure.
ENDS = {"Successful": LIVE, "RollbackSuccessful": ROLLED_BACK, "Cancelled": CANCELLED}


@dataclass(frozen=True)
class Entry:
    """A change of what the servers run, as it began (`outcome` "") or ended."""

    id: str
    at: str
    kind: str  # release, rollback
    release: str
    version: int  # of the launch template
    before: str  # the release that ran until then
    before_version: int
    refresh: str
    identity: str
    outcome: str = ""
    reason: str = ""


class Ledger:
    """The history of one environment."""

    def __init__(self, session: Any, bucket: str, *, clock: Clock = now) -> None:
        self.bucket, self._s3, self._clock = bucket, session.client("s3"), clock

    def began(self, **what: Any) -> Entry:
        """Write that a change began."""
        return self._write(Entry(id=secrets.token_hex(6), at=self._clock().isoformat(), **what))

    def ended(self, entry: Entry, outcome: str, reason: str = "") -> Entry:
        """Write how it ended."""
        known = {**asdict(entry), "at": self._clock().isoformat(), "outcome": outcome, "reason": reason}
        return self._write(Entry(**known))

    def newest_first(self) -> Iterator[Entry]:
        """Every change once: as it ended, or as it began where no end was written."""
        with aws.asking("s3"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=PREFIX)
            keys = sorted((item["Key"] for page in pages for item in page.get("Contents", [])), reverse=True)
        ended: set[str] = set()
        for key in keys:
            event, _, kind = key.removesuffix(".json").rpartition("-")
            change = event.rpartition("-")[2]
            if change in ended:
                continue
            if kind == "end":
                ended.add(change)
            with aws.asking("s3"):
                found = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            yield Entry(**json.loads(found))

    def _write(self, entry: Entry) -> Entry:
        key = f"{PREFIX}{self._clock():%Y%m%dT%H%M%S.%f}Z-{entry.id}-{'end' if entry.outcome else 'begin'}.json"
        with aws.asking("s3"):
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(asdict(entry)), IfNoneMatch="*")
        return entry
