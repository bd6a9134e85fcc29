"""Auto Scaling: what moto forgets of a group and of its policies. Nothing scales here: there are no metrics."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

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
