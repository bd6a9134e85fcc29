"""One release at a time in an environment: an object beside its state that only one can create.

It lies in the bucket of the states, as nothing can be deleted from the bucket of releases. Whoever holds it renews it
while AWS works; whoever died stops renewing it, and a few minutes later the next may take it over. AWS itself refuses a
second instance refresh; this also covers what comes before and after one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lyceum_ops import aws
from lyceum_ops.console import err
from lyceum_ops.errors import LyceumError, Refused

LIFE = timedelta(minutes=5)
RENEW = timedelta(minutes=1)
Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, for what, and until when at least."""

    owner: str
    what: str
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.owner} ({self.what}, since {self.since:%H:%M:%S} UTC)"


class Lock:
    """The lock of one environment, as one command holds it."""

    def __init__(self, session: Any, environment: str, account: str, owner: str, *, clock: Clock = now) -> None:
        self.bucket, self.key = f"lyceum-state-{account}", f"platform-{environment}.release-lock"
        self.environment, self.owner = environment, owner
        self._s3, self._clock = session.client("s3"), clock
        self._nonce, self._etag, self._what = secrets.token_hex(8), "", ""
        self._since = self._until = clock()

    @contextmanager
    def held(self, what: str) -> Iterator[Lock]:
        """Hold the lock. Raises Refused, and names the holder, when another does."""
        self._take(what)
        try:
            yield self
        finally:
            self._let_go()

    def renew(self) -> None:
        """To be called now and then by whoever holds it. Raises Refused when another took it over meanwhile."""
        if self._clock() - (self._until - LIFE) < RENEW:
            return
        if not self._put(IfMatch=self._etag):
            raise Refused(
                f"The lock of {self.environment} was taken over by {self.holder() or 'somebody'}.",
                f"This command hung for more than {LIFE.seconds // 60} minutes and stops here.",
            )

    def holder(self) -> Holder | None:
        """Who holds it now, if anybody does."""
        found = self._read()
        return found[0] if found else None

    def _take(self, what: str) -> None:
        self._what, self._since = what, self._clock()
        if self._put(IfNoneMatch="*"):
            return
        found = self._read()
        if found is None:
            # Let go in this very moment.
            if self._put(IfNoneMatch="*"):
                return
            found = self._read()
        holder = found[0] if found else None
        if found and found[0].until < self._clock() and self._put(IfMatch=found[1]):
            err.print(f"took over the lock of {holder}: it ran out at {found[0].until:%H:%M:%S} UTC", markup=False)
            return
        raise Refused(
            f"{self.environment} is held by {holder or 'another release'}; nothing was changed.",
            f"Wait for it. If it died: its lock runs out at {holder.until:%H:%M:%S} UTC by itself." if holder else "",
        )

    def _put(self, **condition: str) -> bool:
        self._until = self._clock() + LIFE
        body = {
            "owner": self.owner, "what": self._what, "since": self._since.isoformat(),
            "until": self._until.isoformat(), "nonce": self._nonce,
        }  # fmt: skip
        try:
            with aws.asking("s3"):
                made = self._s3.put_object(Bucket=self.bucket, Key=self.key, Body=json.dumps(body), **condition)
        except LyceumError as error:
            if aws.code(error) in {
                "PreconditionFailed",
                "ConditionalRequestConflict",
                "412",
                "409",
                "NoSuchKey",
                "404",
            }:
                return False
            raise
        self._etag = str(made["ETag"])
        return True

    def _read(self) -> tuple[Holder, str] | None:
        try:
            with aws.asking("s3"):
                found = self._s3.get_object(Bucket=self.bucket, Key=self.key)
                said = json.loads(found["Body"].read())
        except LyceumError as error:
            if aws.code(error) in {"NoSuchKey", "404"}:
                return None
            raise
        except ValueError as error:
            raise LyceumError(
                f"s3://{self.bucket}/{self.key} is no lock of ours.", "Look at it, then delete it by hand."
            ) from error
        since, until = (datetime.fromisoformat(said[name]) for name in ("since", "until"))
        return Holder(said["owner"], said["what"], since, until), str(found["ETag"])

    def _let_go(self) -> None:
        try:
            with aws.asking("s3"):
                self._s3.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=self._etag)
        except LyceumError as error:
            # It must not hide what the work itself ended with.
            err.print(
                f"the lock of {self.environment} was not let go ({error.message}); "
                f"it runs out at {self._until:%H:%M:%S} UTC",
                markup=False,
            )
