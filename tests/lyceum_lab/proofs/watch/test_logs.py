"""A purge that deletes too early, too late, or elsewhere is noticed by the hours that pass over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.watch import logs

pytestmark = pytest.mark.logs
GROUPS, OTHERS = ["/lyceum/prod/application", "/lyceum/prod/system"], ["/lyceum/prod/flow", "/lyceum/dev/system"]
MINUTE = timedelta(minutes=5)
Run = Callable[[list[str], datetime], None]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CloudWatch Logs as moto keeps it, in this process."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = boto3.client("logs", region_name="us-east-1")
        for group in (*GROUPS, *OTHERS):
            made.create_log_group(logGroupName=group)
        yield made


def pass_time(client: Any, run: Run, hours: int = 54) -> timedelta:
    return logs.pass_time(client, GROUPS, OTHERS, run, minute=MINUTE, hours=hours)


def test_a_week_of_the_purge(client: Any) -> None:
    oldest = pass_time(client, partial(logs.own_code(), client), logs.WEEK)
    assert timedelta(hours=48) < oldest <= timedelta(hours=49)
    assert not client.describe_log_streams(logGroupName=OTHERS[0])["logStreams"], "it takes its own streams away again"


def shifted(client: Any, by: timedelta) -> Run:
    """The purge, by a clock that is wrong."""
    purge = logs.own_code()
    return lambda groups, now: purge(client, groups, now + by)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda client: shifted(client, timedelta(hours=1)), "lacks lines that are younger than 48 hours"),
        (lambda client: shifted(client, timedelta(hours=-1)), "holds lines older than 49 hours"),
        (lambda client: lambda groups, now: None, "holds lines older than 49 hours"),
        (lambda client: partial(only_first, client), "system holds lines older than 49 hours"),
        (lambda client: partial(elsewhere, client), "was purged too"),
    ],
    ids=["early", "late", "never", "one group", "another group"],
)
def test_a_broken_purge_is_noticed(client: Any, broken: Callable[[Any], Run], says: str) -> None:
    with pytest.raises(Broken, match=says):
        pass_time(client, broken(client))


def only_first(client: Any, groups: list[str], now: datetime) -> None:
    logs.own_code()(client, groups[:1], now)


def elsewhere(client: Any, groups: list[str], now: datetime) -> None:
    logs.own_code()(client, [*groups, OTHERS[1]], now)
