"""Two days of logs: the purge's own code, in its role, through a simulated week of hourly streams.

After every run nothing of the system and the application log that is younger than 48 hours is gone, and nothing that is
older than 49 hours is there; groups beside them keep what they have.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any

from lyceum_lab import paths
from lyceum_lab.clock import start
from lyceum_lab.proofs.report import Broken, require
from lyceum_lab.proofs.watch.places import find
from lyceum_lab.rehearsal.infrastructure import Session

WEEK = 7 * 24
KEPT, LONGEST = timedelta(hours=48), timedelta(hours=49)
HOUR = timedelta(hours=1)
SERVER = "i-0123456789abcdef0"
SCHEDULE = re.compile(r"cron\((\d+) \* \* \* \? \*\)")
# A run of the purge: the client, its groups, the moment.
Purge = Callable[[Any, list[str], datetime], None]


def own_code() -> Purge:
    """The function as Lambda runs it, at a moment that is given."""
    place = paths.CHECKOUT / "functions" / "purge_logs" / "purge_logs.py"
    spec = importlib.util.spec_from_file_location("purge_logs_of_the_proof", place)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a file of ours
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)

    def run(client: Any, groups: list[str], now: datetime) -> None:
        with redirect_stdout(StringIO()):  # its log
            module.run(client, groups, now, lambda: 300_000)

    return run


def two_days(admin: Session, environment: str, *, hours: int = WEEK) -> str:
    """Let hours pass in an environment. Raises Broken with the first one in which the promise did not hold."""
    groups = list(find(admin, environment).purged)
    require(
        sorted(groups) == [f"/lyceum/{environment}/application", f"/lyceum/{environment}/system"],
        f"{environment} purges {groups}",
    )
    described = admin.client("logs").describe_log_groups()["logGroups"]
    days = {one["logGroupName"]: one.get("retentionInDays") for one in described}
    # Three is the least that CloudWatch offers above two: what the purge missed ends by itself.
    kept_by_aws = {group: days.get(group) for group in groups}
    require(set(kept_by_aws.values()) == {3}, f"CloudWatch is told to keep {kept_by_aws}")
    client = Session.as_role(admin.url, f"lyceum-{environment}-purge-logs").client("logs")
    others = sorted(days.keys() - set(groups))
    minute = timedelta(minutes=_minute(admin, environment))
    oldest = pass_time(admin.client("logs"), groups, others, partial(own_code(), client), minute=minute, hours=hours)
    told = f"the oldest line that a run left was {oldest / HOUR:.1f} h old"
    return f"{environment}: {hours} hours, {len(groups)} groups purged, {len(others)} not touched; {told}"


def pass_time(
    logs: Any,
    groups: list[str],
    others: list[str],
    run: Callable[[list[str], datetime], None],
    *,
    minute: timedelta,
    hours: int = WEEK,
) -> timedelta:
    """Let hours pass, the purge run in each, and hold the promise after each run. Returns the age of the oldest line
    that a run left. Leaves none of its streams.
    """
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR * (hours + 2)
    for group in others:
        _write(logs, group, begin)
    written: list[datetime] = []
    oldest = timedelta()
    for number in range(hours):
        began = begin + HOUR * number
        for group in groups:
            _write(logs, group, began)
        written.append(began)
        now = began + HOUR + minute
        run(groups, now)
        for group in groups:
            oldest = max(oldest, _hold(logs, group, written, now))
    for group in others:
        require(_named(begin) in _streams(logs, group), f"{group} was purged too")
    for group in (*groups, *others):
        for name in _streams(logs, group) & {_named(began) for began in written}:
            logs.delete_log_stream(logGroupName=group, logStreamName=name)
    return oldest


def _minute(admin: Session, environment: str) -> int:
    """The minute of the hour at which the purge is started."""
    there = start.schedules(admin, f"lyceum-{environment}-")
    found = [SCHEDULE.fullmatch(one.expression) for one in there if "purge" in one.function]
    if len(found) != 1 or not found[0]:
        raise Broken(f"{environment} has no one schedule that starts the purge every hour")
    return int(found[0][1])


def _named(began: datetime) -> str:
    return f"{SERVER}/{began:%Y-%m-%dT%H}"


def _write(logs: Any, group: str, began: datetime) -> None:
    """A server's stream of an hour: its first and its last moment."""
    logs.create_log_stream(logGroupName=group, logStreamName=_named(began))
    moments = (began + timedelta(seconds=1), began + HOUR - timedelta(seconds=1))
    events = [{"timestamp": round(moment.timestamp() * 1000), "message": moment.isoformat()} for moment in moments]
    logs.put_log_events(logGroupName=group, logStreamName=_named(began), logEvents=events)


def _streams(logs: Any, group: str) -> set[str]:
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    return {stream["logStreamName"] for page in pages for stream in page["logStreams"]}


def _hold(logs: Any, group: str, written: list[datetime], now: datetime) -> timedelta:
    """The promise, after a run. Returns the age of the oldest line that is left."""
    left = _streams(logs, group)
    # A stream goes as a whole: what counts of it is its youngest line when it is gone, its oldest when it is there.
    gone = [began for began in written if _named(began) not in left and began + HOUR > now - KEPT]
    stayed = [began for began in written if _named(began) in left and began < now - LONGEST]
    if gone:
        raise Broken(f"at {now:%a %H:%M} {group} lacks lines that are younger than 48 hours, of {gone[-1]:%a %H:%M} on")
    if stayed:
        raise Broken(f"at {now:%a %H:%M} {group} holds lines older than 49 hours, of {stayed[0]:%a %H:%M} on")
    return max((now - began for began in written if _named(began) in left), default=timedelta())
