"""`./lyceum logs ENV`: what all servers of an environment said, in the order of time, from CloudWatch Logs.

A line tells when (UTC), which server, how grave, and what; of the platform's JSON the rest follows as name=value. What
is asked for is looked for by CloudWatch and held against each line once more here.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from lyceum_ops import aws
from lyceum_ops.console import err, out
from lyceum_ops.errors import LyceumError, Usage
from lyceum_ops.operate import Asked, Here, described, setting

GROUPS = ("application", "system")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# What CloudWatch itself keeps; the purge leaves two of these days.
LONGEST = timedelta(days=3)
# A line comes some seconds after it was written, and a later one may come before it: so far back is asked again.
LATE = timedelta(seconds=60)
PAUSE = 2.0
REQUEST = re.compile(r"[A-Za-z0-9-]{1,64}")
STYLES = {"ERROR": "red", "CRITICAL": "bold red", "WARNING": "yellow", "DEBUG": "dim"}
SHOWN = ("time", "level", "logger", "message")


@dataclass(frozen=True)
class Wanted:
    """Which lines: of which group, not older than `since`, with a text or of a request in them."""

    group: str = "application"
    since: timedelta = timedelta(minutes=10)
    text: str = ""
    request: str = ""

    @property
    def pattern(self) -> str:
        """For CloudWatch; "" where it cannot be told in its language, which then sends all."""
        if self.request:
            return f'{{ $.request_id = "{self.request}" }}'
        return f'"{self.text}"' if self.text and not re.search(r'["\\\n]', self.text) else ""

    def holds(self, message: str) -> bool:
        return self.text in message and (not self.request or _told(message).get("request_id") == self.request)


@dataclass(frozen=True)
class Line:
    """An event: its id and moment (milliseconds), who wrote it, and what."""

    id: str
    at: int
    server: str
    message: str


def wanted(*, group: str, since: str, text: str, request: str) -> Wanted:
    """What the command line asks for. Raises Usage."""
    if group not in GROUPS:
        raise Usage(f"There is no group of logs named {group!r}.", f"There are: {', '.join(GROUPS)}.")
    if request and not REQUEST.fullmatch(request):
        raise Usage(f"{request!r} is not the id of a request.", "An answer carries it as X-Request-ID.")
    return Wanted(group, duration(since), text, request)


def duration(text: str) -> timedelta:
    """A length of time as people write it: 30s, 15m, 2h, 1d. Raises Usage."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else timedelta()
    if not length:
        raise Usage(f"{text!r} is no length of time.", "Write it as 30s, 15m, 2h or 2d.")
    if length > LONGEST:
        raise Usage(f"Nothing is kept for {text}.", "System and application logs are kept for two days: --since 2d.")
    return length


def show(here: Here, environment: str, what: Wanted, *, lines: int, follow: bool) -> None:
    """Print the last `lines` of what is wanted; with `follow`, go on with what comes, until Ctrl-C."""
    session = aws.session(setting("region", described(here, environment, Asked())) or None)
    aws.identify(session)
    client, group = session.client("logs"), f"/lyceum/{environment}/{what.group}"
    began = datetime.now(UTC)
    found = deque(_read(client, group, what, began - what.since), maxlen=lines)
    for line in found:
        out.print(shown(line))
    if not found and not follow:
        err.print(f"Nothing of the last {_spelled(what.since)} in {group}.", markup=False)
    if follow:
        for line in tail(lambda since: _read(client, group, what, since), began, {one.id for one in found}):
            out.print(shown(line))


def tail(
    read: Callable[[datetime], Iterator[Line]],
    since: datetime,
    seen: set[str],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Line]:
    """What comes after `since`, each line once, also where it comes late. Does not end by itself."""
    known = dict.fromkeys(seen, since)
    while True:
        pause(PAUSE)
        moment = now()
        for line in read(max(since, moment - LATE)):
            if line.id not in known:
                yield line
            known[line.id] = moment
        known = {name: last for name, last in known.items() if moment - last < 2 * LATE}


def _read(client: Any, group: str, what: Wanted, since: datetime) -> Iterator[Line]:
    asked = {"logGroupName": group, "startTime": round(since.timestamp() * 1000), "interleaved": True}
    if what.pattern:
        asked["filterPattern"] = what.pattern
    try:
        with aws.asking("logs"):
            for page in client.get_paginator("filter_log_events").paginate(**asked):
                for event in page["events"]:
                    if what.holds(event["message"]):
                        server = event["logStreamName"].partition("/")[0]
                        yield Line(event["eventId"], event["timestamp"], server, event["message"])
    except LyceumError as error:
        if aws.code(error) == "ResourceNotFoundException":
            raise LyceumError(
                f"There is no log group {group}: the environment was never applied, or not in this region.",
                "./lyceum doctor ENV looks at what is there.",
            ) from error
        raise


def shown(line: Line) -> Text:
    """A line as it is printed; colours show on a terminal only."""
    told = _told(line.message)
    level = str(told.get("level", ""))
    text = Text(f"{datetime.fromtimestamp(line.at / 1000, UTC):%m-%d %H:%M:%S}  {line.server}  ", style="dim")
    if not told:
        return text.append(_printable(line.message), style="not dim")
    text.append(f"{level:8} ", style=f"not dim {STYLES.get(level, '')}")
    text.append(_printable(str(told.get("message", ""))), style="not dim")
    for name, value in told.items():
        if name not in SHOWN:
            kept = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            text.append(f"  {_printable(name)}={_printable(kept)}")
    return text


def _told(message: str) -> dict[str, Any]:
    try:
        told = json.loads(message)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _printable(text: str) -> str:
    """What was logged must not move the cursor of whoever reads it."""
    return "".join(letter if letter.isprintable() else " " for letter in text.rstrip())


def _spelled(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % UNITS[unit] == 0)
    return f"{seconds // UNITS[unit]}{unit}"
