"""CloudWatch Logs: a metric filter that is put again."""

from __future__ import annotations

from typing import Any

from moto.logs.models import logs_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

logs = Service("logs")


@logs.note("PutMetricFilter", because="moto adds a second filter of the same name where AWS changes the first")
def replace_filter(call: Call, _: dict[str, Any]) -> None:
    filters = logs_backends[ACCOUNT][call.region].filters
    name = (call.parameters["filterName"], call.parameters["logGroupName"])
    same = [found for found in filters.metric_filters if (found["filterName"], found["logGroupName"]) == name]
    for older in same[:-1]:
        filters.metric_filters.remove(older)
