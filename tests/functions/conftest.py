"""CloudWatch Logs in this process, with a clock that the tests turn: two groups, and servers that write to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

GROUPS = ["/lyceum/test/system", "/lyceum/test/application"]


@dataclass
class Logs:
    """The emulated service at a moment of our choice."""

    client: Any
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(minute=0, second=0, microsecond=0))

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)

    def write(self, group: str, stream: str, at: datetime | None = None) -> None:
        """An event of the moment `at` (now), written now; its text is its own time."""
        moment = at or self.now
        if stream not in self.streams(group, of=stream):
            self.client.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": round(moment.timestamp() * 1000), "message": moment.isoformat()}
        answer = self.client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
        assert "rejectedLogEventsInfo" not in answer

    def kept(self, group: str) -> list[datetime]:
        """The time of every event that the group still holds."""
        events = self.client.get_paginator("filter_log_events").paginate(logGroupName=group).search("events[].message")
        return sorted(datetime.fromisoformat(message) for message in events)

    def streams(self, group: str, of: str = "") -> list[str]:
        prefix = {"logStreamNamePrefix": of} if of else {}
        pages = self.client.get_paginator("describe_log_streams").paginate(logGroupName=group, **prefix)
        return list(pages.search("logStreams[].logStreamName"))


def hour(moment: datetime) -> str:
    """The hour by which a server names the stream it writes to."""
    return moment.strftime("%Y-%m-%dT%H")


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        # The fixture's clock is moto's: when a stream was made and written to, and which events are too old or early.
        client: Any = boto3.client("logs", region_name="us-east-1", config=Config(retries={"max_attempts": 0}))
        made = Logs(client)
        monkeypatch.setattr("moto.logs.models.utcnow", lambda: made.now.replace(tzinfo=None))
        for group in GROUPS:
            made.client.create_log_group(logGroupName=group)
        yield made
