"""How long AWS may take. A database takes a quarter of an hour, a bucket of videos the longest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lyceum_ops.drill.manifest import Manifest
from lyceum_ops.errors import LyceumError


@dataclass(frozen=True)
class Pace:
    """Seconds: between two looks, and until AWS must have come so far."""

    poll: float = 15.0
    recoverable: float = 20 * 60
    restored: float = 90 * 60
    from_vault: float = 6 * 60 * 60
    mountable: float = 10 * 60
    settle: float = 1.5  # a chosen second has to be over before the manifest after it is taken
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def wait(self, what: str, seconds: float, holds: Callable[[], bool]) -> None:
        """Until it holds. Raises LyceumError, that this was not so, when it takes longer."""
        until = self.clock() + seconds
        while not holds():
            if self.clock() > until:
                raise LyceumError(f"{what} within {seconds / 60:.0f} minutes.", "The next drill removes what it made.")
            self.sleep(self.poll)

    def around(self, manifest: Callable[[], Manifest]) -> tuple[datetime, Manifest, Manifest]:
        """A whole second, with the manifests right before and right after it."""
        before = manifest()
        # AWS takes whole seconds: the next one, which nothing of the manifest before can be younger than.
        second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        while datetime.now(UTC) < second + timedelta(seconds=self.settle):
            self.sleep(0.2)
        return second, before, manifest()
