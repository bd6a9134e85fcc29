"""Auto Scaling: what moto forgets of a group and of its policies, its activities, and instance refreshes.

Nothing scales or is refreshed here: a loop does that where one runs (lyceum_lab.cloud.group) and tells how far it is.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

from lyceum_lab.emulator import groups
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

autoscaling = Service("autoscaling")

autoscaling.overlay(
    written_by=("CreateAutoScalingGroup", "UpdateAutoScalingGroup"),
    key="AutoScalingGroupName",
    fields={name: name for name in ("DefaultInstanceWarmup", "InstanceMaintenancePolicy", "MaxInstanceLifetime")},
    read_by=("DescribeAutoScalingGroups",),
    at="AutoScalingGroups[]",
    because="moto forgets a group's warm-up, its servers' longest life and that it launches before it terminates",
)


@autoscaling.note("PutScalingPolicy", because="moto forgets whether a policy is switched on")
def note_enabled(call: Call, _: dict[str, Any]) -> None:
    policy = (call.parameters["AutoScalingGroupName"], call.parameters["PolicyName"])
    autoscaling.table("enabled")[policy] = call.parameters.get("Enabled", True)


@autoscaling.edit(
    "DescribePolicies",
    because="moto calls every policy switched off, and gives each an empty predictive configuration",
)
def show_policy(_: Call, result: dict[str, Any]) -> bool:
    for policy in result.get("ScalingPolicies", []):
        name = (policy["AutoScalingGroupName"], policy["PolicyName"])
        policy["Enabled"] = autoscaling.table("enabled").get(name, True)
        if policy["PolicyType"] != "PredictiveScaling":
            policy.pop("PredictiveScalingConfiguration", None)
    return bool(result.get("ScalingPolicies"))


# ---------------------------------------------------------------------------------------------------- a group that acts

acting = Service("autoscaling", needed_by="the rehearsal's group")
ACTIVE = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
REFRESHES = "moto has no instance refreshes; the group's loop carries them out and tells how far they are"


@acting.edit(
    "DescribeScalingActivities",
    because="moto notes no activity; where a group acts, its loop tells each",
)
def show_activities(call: Call, result: dict[str, Any]) -> bool:
    kept = autoscaling.table("activities")
    wanted = call.parameters.get("AutoScalingGroupName")
    found = [one for group, each in kept.items() if wanted in {None, group} for one in each]
    asked = set(call.parameters.get("ActivityIds") or [])
    shown = [_dated(one) for one in found if not asked or one["ActivityId"] in asked]
    result["Activities"] = shown[: call.parameters.get("MaxRecords") or 100]
    return bool(shown)


@acting.stub("StartInstanceRefresh", because=REFRESHES)
def start_refresh(call: Call) -> dict[str, Any]:
    asked, name = call.parameters, call.parameters["AutoScalingGroupName"]
    group = _group(call, name)
    if any(each["Status"] in ACTIVE for each in _refreshes(name)):
        raise ApiError(
            "InstanceRefreshInProgress",
            f"An Instance Refresh is already in progress and blocks the execution of this Instance Refresh for {name}.",
        )
    preferences = dict(asked.get("Preferences") or {})
    template = (asked.get("DesiredConfiguration") or {}).get("LaunchTemplate") or {}
    literal = str(template.get("Version") or "").isdigit()
    if preferences.get("AutoRollback") and not (literal and str(group.provided_launch_template_version).isdigit()):
        raise ApiError(
            "ValidationError",
            "Auto rollback needs a desired configuration, and a launch template version that is a number, both there "
            "and in the group.",
        )
    low = preferences.get("MinHealthyPercentage", 90)
    high = preferences.get("MaxHealthyPercentage", 100)
    if not 0 <= low <= 100 or not 100 <= high <= 200 or high - low > 100:
        raise ApiError(
            "ValidationError",
            "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200, and their difference at most 100.",
        )
    made = {
        "InstanceRefreshId": str(uuid.uuid4()),
        "AutoScalingGroupName": name,
        "Status": "Pending",
        "Strategy": asked.get("Strategy") or "Rolling",
        "StartTime": datetime.now(UTC).isoformat(),
        "PercentageComplete": 0,
        "InstancesToUpdate": 0,
        "Preferences": {"MinHealthyPercentage": low, "MaxHealthyPercentage": high, "SkipMatching": False,
                        "AutoRollback": False, **preferences},
        "DesiredConfiguration": asked.get("DesiredConfiguration") or {},
    }  # fmt: skip
    _refreshes(name).insert(0, made)
    return {"InstanceRefreshId": made["InstanceRefreshId"]}


@acting.stub("DescribeInstanceRefreshes", because=REFRESHES)
def show_refreshes(call: Call) -> dict[str, Any]:
    asked = set(call.parameters.get("InstanceRefreshIds") or [])
    _group(call, call.parameters["AutoScalingGroupName"])
    kept = _refreshes(call.parameters["AutoScalingGroupName"])
    shown = [_dated(each) for each in kept if not asked or each["InstanceRefreshId"] in asked]
    return {"InstanceRefreshes": shown[: call.parameters.get("MaxRecords") or 50]}


@acting.stub("CancelInstanceRefresh", because=REFRESHES)
def cancel_refresh(call: Call) -> dict[str, Any]:
    active = _active(call, "Pending", "InProgress", "Baking")
    active["Status"] = "Cancelling"
    return {"InstanceRefreshId": active["InstanceRefreshId"]}


@acting.stub("RollbackInstanceRefresh", because=REFRESHES)
def roll_refresh_back(call: Call) -> dict[str, Any]:
    active = _active(call, "Pending", "InProgress", "Baking")
    if not (active["DesiredConfiguration"].get("LaunchTemplate") or {}).get("Version"):
        raise ApiError(
            "IrreversibleInstanceRefresh", "A refresh without a desired configuration cannot be rolled back."
        )
    active["Status"] = "RollbackInProgress"
    active["StatusReason"] = "Rollback due to user request."
    return {"InstanceRefreshId": active["InstanceRefreshId"]}


def _refreshes(group: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = autoscaling.table("refreshes").setdefault(group, [])
    return kept


def _active(call: Call, *statuses: str) -> dict[str, Any]:
    name = call.parameters["AutoScalingGroupName"]
    found = next((each for each in _refreshes(name) if each["Status"] in statuses), None)
    if found is None:
        raise ApiError("ActiveInstanceRefreshNotFound", f"No in progress or pending Instance Refresh found for {name}.")
    return found


def _group(call: Call, name: str) -> FakeAutoScalingGroup:
    found = groups.find(call.region, name)
    if found is None:
        raise ApiError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
    return found


def _dated(told: dict[str, Any]) -> dict[str, Any]:
    """Times are told as text; the API's are times."""
    shown = dict(told)
    for field in ("StartTime", "EndTime"):
        if isinstance(shown.get(field), str):
            shown[field] = datetime.fromisoformat(shown[field])
    return shown
