"""AWS Backup: what a plan is to copy, and a plan's end. No plan acts here; what is asked for: recovery_points.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.backup.models import backup_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

backup = Service("backup")
NO_SELECTIONS = "moto keeps backup plans and does not know what they copy"


@backup.stub("CreateBackupSelection", because=NO_SELECTIONS)
def create_selection(call: Call) -> dict[str, Any]:
    plan = call.parameters["BackupPlanId"]
    if plan not in backup_backends[ACCOUNT][call.region].plans:
        raise ApiError("ResourceNotFoundException", f"Cannot find Backup plan with ID: {plan}")
    made = {"SelectionId": str(uuid4()), "BackupPlanId": plan, "CreationDate": datetime.now(UTC)}
    backup.table("selections")[made["SelectionId"]] = {**made, "BackupSelection": call.parameters["BackupSelection"]}
    return made


@backup.stub("GetBackupSelection", because=NO_SELECTIONS)
def get_selection(call: Call) -> dict[str, Any]:
    wanted = call.parameters["SelectionId"]
    try:
        found: dict[str, Any] = backup.table("selections")[wanted]
    except KeyError:
        raise ApiError("ResourceNotFoundException", f"Cannot find Backup selection with ID: {wanted}") from None
    return found


@backup.stub("DeleteBackupSelection", because=NO_SELECTIONS)
def delete_selection(call: Call) -> dict[str, Any]:
    backup.table("selections").pop(call.parameters["SelectionId"], None)
    return {}


@backup.guard("DeleteBackupPlan", because="AWS keeps a plan that still copies something; moto deletes it")
def refuse_plan_in_use(call: Call) -> None:
    plan = call.parameters["BackupPlanId"]
    if any(selection["BackupPlanId"] == plan for selection in backup.table("selections").values()):
        raise ApiError("InvalidRequestException", "Related backup plan selections must be deleted prior to backup plan")


@backup.note("DeleteBackupPlan", because="moto keeps the name of a deleted plan taken, so that a second apply fails")
def free_name(call: Call, _: dict[str, Any]) -> None:
    backup_backends[ACCOUNT][call.region].plans.pop(call.parameters["BackupPlanId"], None)


@backup.stub("UpdateBackupPlan", because="moto cannot change a plan, and operators change its retention or its windows")
def update_plan(call: Call) -> dict[str, Any]:
    wanted = call.parameters["BackupPlanId"]
    plan = backup_backends[ACCOUNT][call.region].plans.get(wanted)
    if plan is None:
        raise ApiError("ResourceNotFoundException", f"Cannot find Backup plan with ID: {wanted}")
    kept = {rule["RuleName"]: rule["RuleId"] for rule in plan.backup_plan["Rules"]}
    plan.backup_plan = call.parameters["BackupPlan"]
    for rule in plan.backup_plan["Rules"]:
        rule["RuleId"] = kept.get(rule["RuleName"]) or str(uuid4())
    plan.version_id = uuid4().hex
    return {
        "BackupPlanId": wanted,
        "BackupPlanArn": plan.backup_plan_arn,
        "CreationDate": datetime.now(UTC),
        "VersionId": plan.version_id,
    }


@backup.stub(
    "ListTags",
    because="moto reads the resource's name off the path of a call that ends in a slash; Terraform's does not",
)
def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": backup_backends[ACCOUNT][call.region].list_tags(call.parameters["ResourceArn"])}
