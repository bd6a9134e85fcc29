"""What the tests of AWS's stores have in common: a quick pace, an emulated service whose times move on, a log-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.tunnel.login import Login

FAST = Pace(poll=0.05, recoverable=10, restored=10, from_vault=10, mountable=10, settle=0.1)


def nobody(*_: Any) -> str:
    return "a learner was not asked"


class Moving:
    """The emulated service, of stores that are a month old, with a restorable time that moves on, as AWS's does."""

    def __init__(self, client: Any, behind: timedelta = timedelta(0)) -> None:
        self._client, self._behind = client, behind
        self.made = datetime.now(UTC) - timedelta(days=30)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        made: Callable[..., Any] = getattr(self._client, name)

        def call(*words: Any, **told: Any) -> Any:
            self.asked.append((name, told))
            answer = made(*words, **told)
            if name == "describe_db_instances":
                for one in answer["DBInstances"]:
                    one["LatestRestorableTime"] = datetime.now(UTC) - self._behind
                    one["InstanceCreateTime"] = self.made
            if name == "describe_continuous_backups":
                recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
                recovery["LatestRestorableDateTime"] = datetime.now(UTC) - self._behind
                recovery["EarliestRestorableDateTime"] = self.made
            return answer

        return call


class Own(Login):
    """Who logs in to the database of this test, whatever the password: it speaks no TLS."""

    def connect(self, seconds: int = 10) -> Any:
        return psycopg.connect(self.password, autocommit=True)
