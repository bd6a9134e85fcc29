"""CloudWatch Logs: a metric filter that is put again, and one that counts."""

from __future__ import annotations

from typing import Any

from moto.logs.models import logs_backends

from lyceum_lab.emulator import ACCOUNT, watch
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

logs = Service("logs")
watched = Service("logs", needed_by="the proof of alarms")


@logs.note("PutMetricFilter", because="moto adds a second filter of the same name where AWS changes the first")
def replace_filter(call: Call, _: dict[str, Any]) -> None:
    filters = logs_backends[ACCOUNT][call.region].filters
    name = (call.parameters["filterName"], call.parameters["logGroupName"])
    same = [found for found in filters.metric_filters if (found["filterName"], found["logGroupName"]) == name]
    for older in same[:-1]:
        filters.metric_filters.remove(older)


@watched.note("PutLogEvents", because="moto keeps metric filters and never lets them count what is logged")
def count(call: Call, result: dict[str, Any]) -> None:
    told = call.parameters
    too_old = (result.get("rejectedLogEventsInfo") or {}).get("tooOldLogEventEndIndex", -1)
    watch.count(call.region, told["logGroupName"], told["logEvents"][too_old + 1 :])
