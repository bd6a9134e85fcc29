"""Elastic Load Balancing: a load balancer that refuses to go, and the health of targets where something asks them."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends

from lyceum_lab.emulator import ACCOUNT, groups
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

elasticloadbalancing = Service("elasticloadbalancing")


@elasticloadbalancing.guard(
    "DeleteLoadBalancer", because="moto keeps deletion protection as a note and deletes all the same; AWS refuses"
)
def refuse_protected(call: Call) -> None:
    arn = call.parameters["LoadBalancerArn"]
    found = elbv2_backends[ACCOUNT][call.region].load_balancers.get(arn)
    if found is not None and found.attrs.get("deletion_protection.enabled") == "true":
        raise ApiError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )


rehearsed = Service("elasticloadbalancing", needed_by="the rehearsal's load balancer")


@rehearsed.edit(
    "DescribeTargetHealth",
    because="moto calls every target healthy; where a load balancer stands, its checks are the truth",
)
def show_checked_health(call: Call, result: dict[str, Any]) -> bool:
    known = groups.target_health(call.parameters["TargetGroupArn"])
    if known is None:
        return False
    asked = {target["Id"] for target in call.parameters.get("Targets") or []}
    shown = {told["Target"]["Id"]: told for told in result.get("TargetHealthDescriptions", [])}
    port = elbv2_backends[ACCOUNT][call.region].target_groups[call.parameters["TargetGroupArn"]].port
    for target, (state, reason, description) in known.items():
        if asked and target not in asked:
            continue
        # One that drains is no longer among moto's, and still has a health.
        told = shown.setdefault(target, {"Target": {"Id": target, "Port": int(port)}, "HealthCheckPort": str(port)})
        told["TargetHealth"] = {"State": state}
        if reason:
            told["TargetHealth"] |= {"Reason": reason, "Description": description}
    for target, told in shown.items():
        if target not in known and told["TargetHealth"]["State"] == "healthy":
            told["TargetHealth"] = {
                "State": "initial",
                "Reason": "Elb.RegistrationInProgress",
                "Description": "Target registration is in progress",
            }
    result["TargetHealthDescriptions"] = list(shown.values())
    return True
