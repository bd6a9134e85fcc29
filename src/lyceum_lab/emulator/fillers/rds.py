"""RDS: fields of an instance that moto does not keep."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from moto.rds.models import rds_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

rds = Service("rds")
looked_at = Service("rds", needed_by="./lyceum doctor")

rds.overlay(
    written_by=("CreateDBInstance", "ModifyDBInstance"),
    key="DBInstanceIdentifier",
    fields={
        "EnablePerformanceInsights": "PerformanceInsightsEnabled",
        "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
        "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
        "DatabaseInsightsMode": "DatabaseInsightsMode",
        "EngineLifecycleSupport": "EngineLifecycleSupport",
    },
    read_by=("DescribeDBInstances",),
    at="DBInstances[]",
    because="moto forgets Performance Insights, the insights mode and the support after version 17's life",
)


@rds.edit(
    "DescribeDBParameters", because="moto does not say who set a parameter; Terraform looks for those set by the user"
)
def set_by_user(_: Call, result: dict[str, Any]) -> bool:
    # Moto lists only what was set, so all of it was.
    for parameter in result.get("Parameters", []):
        parameter["Source"] = "user"
    return bool(result.get("Parameters"))


@rds.edit(
    "CreateDBInstance",
    because="moto gives all instances one resource id, by which Terraform looks for its own: a second one hides both",
)
def own_resource_id(call: Call, result: dict[str, Any]) -> bool:
    made = rds_backends[ACCOUNT][call.region].databases[call.parameters["DBInstanceIdentifier"]]
    made.dbi_resource_id = "db-" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
    result["DBInstance"]["DbiResourceId"] = made.dbi_resource_id
    return True


@looked_at.stub("DescribePendingMaintenanceActions", because="moto cannot be asked; nothing wants maintenance here")
def no_maintenance(_: Call) -> dict[str, Any]:
    return {"PendingMaintenanceActions": []}
