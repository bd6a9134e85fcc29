"""RDS: fields of an instance that moto does not keep."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

rds = Service("rds")

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
