"""Keeps the system and application logs for two days, which CloudWatch Logs itself cannot do.

CloudWatch knows a retention of one day and of three. So the groups are kept for three, their streams are named by the
hour they were written in (`<instance>/<YYYY-MM-DDTHH>`, UTC), and once an hour this deletes whole streams:

    named by its hour   when that hour ended 48 hours ago, unless CloudWatch knows of an event that is younger: then
                        its server did not turn the stream over, and the stream waits for a later run
    named otherwise     when nothing was written to it for 49 hours: 48, and the hour by which CloudWatch's own
                        account of a stream may lag behind ("eventually consistent, typically in less than an hour")

Nothing is deleted that may hold an event of the last 48 hours. A run tells its counts as one line of JSON, and fails
when a stream outlived its time, so that an alarm rings. To run twice, or after a run that was missed, does no harm.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

KEPT = timedelta(hours=48)
# How far CloudWatch's account of a stream may lag behind what was written to it.
LAG = timedelta(hours=1)
# A stream that its server still wrote to after its hour may wait for two more runs, and then somebody should look.
PATIENCE = timedelta(hours=2)
# Left for the report, in milliseconds.
RESERVE = 10_000
NAMED_BY_HOUR = re.compile(r"[^/]+/(\d{4}-\d{2}-\d{2}T\d{2})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PurgeIncomplete(Exception):
    """A stream that had to go is still there."""


@dataclass
class Report:
    """What a run did, in numbers of streams. `failed` holds a sentence for each stream or group that stayed."""

    seen: int = 0
    deleted: int = 0
    gone: int = 0  # by somebody else, between the list and the deletion
    waiting: int = 0  # their hour is over, and a younger event is in them
    unnamed: int = 0  # not named by an hour
    failed: list[str] = field(default_factory=list)


def handler(_event: object, context: Any) -> dict[str, Any]:
    """Lambda's entry: purge the groups named in LOG_GROUPS, as a JSON list."""
    client = boto3.client("logs", config=Config(retries={"mode": "standard", "max_attempts": 8}))
    return run(client, json.loads(os.environ["LOG_GROUPS"]), datetime.now(UTC), context.get_remaining_time_in_millis)


def run(client: Any, groups: list[str], now: datetime, remaining: Any) -> dict[str, Any]:
    """Purge, report, and raise PurgeIncomplete if anything stayed. `remaining()` gives the milliseconds left."""
    report = Report()
    for group in groups:
        # One group that is missing or refused must not keep the other one.
        try:
            purge(client, group, now, remaining, report)
        except (BotoCoreError, ClientError) as error:
            report.failed.append(f"{group}: {error}")
    counts = {**asdict(report), "failed": len(report.failed)}
    print(json.dumps({"message": "purged", "level": "ERROR" if report.failed else "INFO", **counts}))
    if report.failed:
        more = f" and {len(report.failed) - 3} more" if len(report.failed) > 3 else ""
        raise PurgeIncomplete("; ".join(report.failed[:3]) + more)
    return counts


def purge(client: Any, group: str, now: datetime, remaining: Any, report: Report) -> None:
    """Delete the streams of one group whose time is over."""
    # The list is read to its end first: deleting meanwhile could make a page skip streams.
    due = [stream["logStreamName"] for stream in _streams(client, group) if _is_due(stream, group, now, report)]
    for done, name in enumerate(due):
        if remaining() < RESERVE:
            report.failed.append(f"{group}: no time left for {len(due) - done} of {len(due)} streams")
            return
        try:
            client.delete_log_stream(logGroupName=group, logStreamName=name)
        except client.exceptions.ResourceNotFoundException:
            report.gone += 1
        except (BotoCoreError, ClientError) as error:
            report.failed.append(f"{group} {name}: {error}")
        else:
            report.deleted += 1


def _streams(client: Any, group: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("describe_log_streams").paginate(logGroupName=group, orderBy="LogStreamName"):
        yield from page["logStreams"]


def _is_due(stream: dict[str, Any], group: str, now: datetime, report: Report) -> bool:
    report.seen += 1
    name = stream["logStreamName"]
    ended = end_of_hour(name)
    if ended is None:
        report.unnamed += 1
        written = [stream.get(key) for key in ("creationTime", "lastIngestionTime", "lastEventTimestamp")]
        return all(_time(moment) <= now - KEPT - LAG for moment in written if moment is not None)
    if ended > now - KEPT:
        return False
    # CloudWatch's last event can be out of date, and so proves that a young one is there, never that none is.
    if _time(stream.get("lastEventTimestamp", 0)) > now - KEPT:
        report.waiting += 1
        if ended <= now - KEPT - PATIENCE:
            report.failed.append(f"{group} {name}: still written to after its hour; its server turns no stream over")
        return False
    return True


def end_of_hour(name: str) -> datetime | None:
    """When the hour ended that a stream is named by, or None if it is named otherwise."""
    found = NAMED_BY_HOUR.fullmatch(name)
    try:
        return datetime.strptime(found[1], "%Y-%m-%dT%H").replace(tzinfo=UTC) + timedelta(hours=1) if found else None
    except ValueError:  # the 31st of February
        return None


def _time(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
