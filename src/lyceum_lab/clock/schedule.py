"""When a schedule of EventBridge Scheduler is due, of the expressions that infra/ uses.

Source: EventBridge Scheduler User Guide, "Schedule types": rate(value unit), and cron(minutes hours day-of-month month
day-of-week year) with *, ? and single numbers. Lists, ranges, steps and names are refused.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
MINUTE = UNITS["minute"]


def due(expression: str, since: datetime, until: datetime) -> list[datetime]:
    """The moments after `since` and up to `until`. A rate counts from `since`, as on AWS from when it was made.

    Raises ValueError for an expression that is not known here.
    """
    if rate := RATE.fullmatch(expression):
        every = int(rate[1]) * UNITS[rate[2]]
        if not every:
            raise ValueError(f"{expression} is never due.")
        return [since + number * every for number in range(1, (until - since) // every + 1)]
    found = CRON.fullmatch(expression)
    if not found or not all(re.fullmatch(r"\d+|[*?]", field) for field in found.groups()):
        raise ValueError(f"{expression} is not known here: a rate, or a cron of single numbers, * and ?.")
    minute = since.replace(second=0, microsecond=0) + MINUTE
    moments = []
    while minute <= until:
        # Sunday is the first day of AWS's week.
        parts = (minute.minute, minute.hour, minute.day, minute.month, minute.isoweekday() % 7 + 1, minute.year)
        if all(field in "*?" or int(field) == part for field, part in zip(found.groups(), parts, strict=True)):
            moments.append(minute)
        minute += MINUTE
    return moments
