"""Elastic Load Balancing: a load balancer that refuses to go."""

from __future__ import annotations

from moto.elbv2.models import elbv2_backends

from lyceum_lab.emulator import ACCOUNT
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
