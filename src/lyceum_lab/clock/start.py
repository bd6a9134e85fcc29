"""A schedule's start of its function: asked for by the schedule's own role, and run at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lyceum_lab.clock import functions
from lyceum_lab.clock.functions import Ran
from lyceum_lab.emulator.pages import page
from lyceum_lab.rehearsal.infrastructure import Session


@dataclass(frozen=True)
class Schedule:
    """A deployed schedule. `function` and `role` are ARNs."""

    name: str
    expression: str
    function: str
    role: str


def schedules(admin: Session, prefix: str) -> list[Schedule]:
    """Those that are switched on, by name. Raises ValueError for one that counts in another time zone than UTC."""
    client = admin.client("scheduler")
    names = [
        (one["GroupName"], one["Name"])
        for page in client.get_paginator("list_schedules").paginate(NamePrefix=prefix) for one in page["Schedules"]
    ]  # fmt: skip
    found = []
    for group, name in sorted(names):
        told = client.get_schedule(GroupName=group, Name=name)
        if told["ScheduleExpressionTimezone"] != "UTC":
            raise ValueError(f"{name} counts in {told['ScheduleExpressionTimezone']}.")
        if told["State"] == "ENABLED":
            target = told["Target"]
            found.append(Schedule(name, told["ScheduleExpression"], target["Arn"], target["RoleArn"]))
    return found


def start(endpoint: str, schedule: Schedule, settings: Mapping[str, str] | None = None) -> Ran:
    """Start its function once. Raises botocore's ClientError when the schedule's role may not."""
    role = Session.as_role(endpoint, schedule.role.rpartition("/")[2])
    role.client("lambda").invoke(FunctionName=schedule.function, InvocationType="Event")
    (told,) = waiting(endpoint)
    return functions.run(endpoint, told, settings)


def waiting(endpoint: str) -> list[dict[str, Any]]:
    """The invocations that the emulator took and nobody ran yet; they are the caller's now."""
    found: list[dict[str, Any]] = page(endpoint, "/_lyceum/functions", {})["invoked"]
    return found
