"""CloudTrail: a trail deleted by its ARN."""

from __future__ import annotations

from typing import Any

from moto.cloudtrail.models import cloudtrail_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

cloudtrail = Service("cloudtrail")


@cloudtrail.note("DeleteTrail", because="moto deletes a trail by its name only, and says yes to an ARN all the same")
def delete_by_arn(call: Call, _: dict[str, Any]) -> None:
    trails = cloudtrail_backends[ACCOUNT][call.region].trails
    for name in [name for name, trail in trails.items() if trail.arn == call.parameters["Name"]]:
        del trails[name]
