"""CloudTrail's events, through the filters and alarms that are applied: work raises none, an attack its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.proofs.report import listed, require
from lyceum_lab.proofs.watch.alarms import OPERATOR, act
from lyceum_lab.proofs.watch.events import DEPLOYER, Attack, Event, attacks, normal_day, of_calls
from lyceum_lab.proofs.watch.expected import ALARM, account_names
from lyceum_lab.rehearsal.infrastructure import REGION, Session

PREFIX = "lyceum-audit-"
# An attack rings within a look, and the next one comes when that is over.
LOOK, APART = timedelta(minutes=5), timedelta(minutes=30)
DAY = timedelta(days=1)


def trail(admin: Session) -> dict[str, Any]:
    """The account's one trail. Raises Broken for none, or several."""
    found = admin.client("cloudtrail").describe_trails()["trailList"]
    require(len(found) == 1, f"there are {len(found)} trails")
    return dict(found[0])


def watched_group(admin: Session) -> str:
    """The log group to which the trail writes. Raises Broken when it does not, or not all of it."""
    own = trail(admin)
    whole = own["IsMultiRegionTrail"] and own["IncludeGlobalServiceEvents"] and own["LogFileValidationEnabled"]
    require(bool(whole), "the trail leaves out regions, global services or the signatures of its files")
    status = admin.client("cloudtrail").get_trail_status(Name=own["Name"])
    require(status["IsLogging"], "the trail is stopped")
    return str(own["CloudWatchLogsLogGroupArn"].split(":log-group:")[1].removesuffix(":*"))


def normal(admin: Session, calls: Iterable[str]) -> str:
    """A day of the deployer's and everybody's work raises nothing. `calls` are the lines of the emulator's record."""
    group = watched_group(admin)
    work = of_calls(calls, policies="lyceum-deployer-", who=DEPLOYER)
    changes = [event for event in work if not event["readOnly"]]
    require(len(changes) > 50, f"of an apply only {len(changes)} kinds of changes were recorded")
    events = [*work, *normal_day()]
    end = _now()
    begin = end - DAY
    step = (DAY - LOOK) / len(events)
    _write(admin, group, [(begin + step * number, event) for number, event in enumerate(events)])
    moments = [begin + LOOK * number for number in range(1, DAY // LOOK + 1)]
    told = act(admin.url, moments, sorted(account_names()))
    rang = sorted({name for at in told["states"] for name, state in at["states"].items() if state == ALARM})
    by = [f"{name.removeprefix(PREFIX)} ({_who_rang(told, name, begin, step, events)})" for name in rang]
    require(not rang, f"on a normal day there ring {listed(by)}")
    return f"{len(events)} kinds of events, {len(changes)} of them changes that an apply made; none of 8 alarms rang"


def _who_rang(told: dict[str, Any], name: str, begin: datetime, step: timedelta, events: list[Event]) -> str:
    """The events of the look in which it first rang."""
    first = next(at["at"] for at in told["states"] if at["states"][name] == ALARM)
    end = datetime.fromisoformat(first)
    seen = [event for number, event in enumerate(events) if end - LOOK <= begin + step * number < end]
    return listed([f"{event['eventSource']} {event['eventName']}" for event in seen], 4)


def raised(admin: Session, told: Iterable[Attack] | None = None) -> str:
    """Each attack raises its alarms and no other, and the operator hears of it."""
    group, tried = watched_group(admin), list(told if told is not None else attacks())
    begin = _now() - DAY * 2 - APART * len(tried)
    when = [begin + APART * number for number in range(len(tried))]
    _write(admin, group, [(at + timedelta(minutes=1), one.event) for at, one in zip(when, tried, strict=True)])
    moments = sorted([at + LOOK for at in when] + [at + APART for at in when])
    names = sorted(account_names())
    found = act(admin.url, moments, names)
    states = {datetime.fromisoformat(at["at"]): at["states"] for at in found["states"]}
    wrong = []
    for at, one in zip(when, tried, strict=True):
        rang = {name.removeprefix(PREFIX) for name, state in states[at + LOOK].items() if state == ALARM}
        if rang != one.raises:
            wrong.append(f"{one.what} raises {listed(sorted(rang)) or 'nothing'}, not {listed(sorted(one.raises))}")
        later = [name for name, state in states[at + APART].items() if state == ALARM]
        if later:
            wrong.append(f"{listed(later)} is not over half an hour after: {one.what}")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:lyceum-audit-alarms"
    wrong += [
        f"{one['alarm']} is not heard: {one['refused'] or one['told']}"
        for one in found["deliveries"]
        if one["topic"] != topic or one["told"] != [OPERATOR]
    ]
    require(not wrong, listed(wrong, 12))
    never = set(names) - {PREFIX + name for one in tried for name in one.raises}
    require(told is not None or not never, f"no attack raises {listed(sorted(never))}")
    return f"{len(tried)} attacks, {len(found['deliveries'])} letters to {OPERATOR}"


def _now() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _write(admin: Session, group: str, events: list[tuple[datetime, Event]]) -> None:
    """As the trail writes them; the stream goes again, what was counted stays."""
    logs = admin.client("logs")
    stream = f"{ACCOUNT}_CloudTrail_{REGION}_{datetime.now(UTC):%H%M%S%f}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    for first in range(0, len(events), 500):
        batch = [
            {
                "timestamp": round(at.timestamp() * 1000),
                "message": json.dumps(event | {"eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}),
            }
            for at, event in events[first : first + 500]
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)
