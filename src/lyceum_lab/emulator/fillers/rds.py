"""RDS: fields of an instance that moto does not keep, and failovers, which moto does not know.

Where a database with a standby is rehearsed, the pair reports in (`POST /_lyceum/databases`, cloud/standby.py): which
zone serves, what happened. It hears in turn whether a failover was ordered; elsewhere an order changes nothing.
"""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from moto.rds.models import rds_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

rds = Service("rds")
acting = Service("rds", needed_by="./lyceum rehearse --multi-az")
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


@acting.guard("RebootDBInstance", because="moto lets an instance without a standby fail over")
def only_to_a_standby(call: Call) -> None:
    database = rds_backends[ACCOUNT][call.region].databases.get(str(call.parameters["DBInstanceIdentifier"]))
    if call.parameters.get("ForceFailover") and database and not database.multi_az:
        raise ApiError("InvalidParameterCombination", "A DB instance that is not Multi-AZ has nothing to fail over to.")


@acting.edit("RebootDBInstance", because="moto reboots nothing; the pair that is rehearsed hears of a failover")
def order_failover(call: Call, result: dict[str, Any]) -> bool:
    name = str(call.parameters["DBInstanceIdentifier"])
    if not call.parameters.get("ForceFailover") or name not in acting.table("pairs"):
        return False
    acting.table("pairs")[name]["ordered"] = True
    rds_backends[ACCOUNT][call.region].databases[name].status = "rebooting"
    result["DBInstance"]["DBInstanceStatus"] = "rebooting"
    return True


def report(told: dict[str, Any]) -> bool:
    """A pair says which zone serves, where its standby is, and what happened. Returns whether a failover is ordered.

    Raises KeyError for a database that there is not.
    """
    name = str(told["database"])
    database = rds_backends[ACCOUNT][str(told["region"])].databases[name]
    database.availability_zone = str(told["zone"])
    if told["standby"]:
        setattr(database, "secondary_availability_zone", str(told["standby"]))  # noqa: B010 - moto has no such field
    happened: list[Any] = database.backend.events
    for message in told["events"]:
        happened.append(
            SimpleNamespace(
                source_identifier=name, source_type="db-instance", source_arn=database.arn, message=str(message),
                event_categories=["failover" if "failover" in message else "availability"], date=datetime.now(UTC),
            )
        )  # fmt: skip
        if "failover completed" in message:
            database.status = "available"
    pair = acting.table("pairs").setdefault(name, {"ordered": False})
    ordered, pair["ordered"] = bool(pair["ordered"]), False
    return ordered
