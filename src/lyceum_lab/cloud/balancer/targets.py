"""The states of a target, and the next one of each.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """As the API names them."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    UNUSED = "unused"


@dataclass(frozen=True)
class Health:
    """A state, and the API's reason for it where it gives one."""

    state: State
    reason: str = ""
    description: str = ""


INITIAL = Health(State.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health(State.HEALTHY)
DRAINING = Health(State.DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress")
UNUSED = Health(State.UNUSED, "Target.NotRegistered", "Target is not registered to the target group")


def unhealthy(checked: str) -> Health:
    """Why a check failed: haproxy's code of its last outcome in AWS's words."""
    if checked == "L7STS":
        return Health(State.UNHEALTHY, "Target.ResponseCodeMismatch", "Health checks failed with these codes")
    if checked.endswith("TOUT"):
        return Health(State.UNHEALTHY, "Target.Timeout", "Request timed out")
    return Health(State.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")


def first(checked: str, failed: int, threshold: int) -> Health:
    """A target that was never in service: one passed check is enough; as many failed ones as always are too many."""
    if checked.startswith("L7OK"):
        return HEALTHY
    return unhealthy(checked) if failed >= threshold else INITIAL


def together(healths: list[Health]) -> Health:
    """What several nodes say of one target: the worst of it."""
    for state in (State.DRAINING, State.UNHEALTHY, State.INITIAL):
        for health in healths:
            if health.state is state:
                return health
    return healths[0] if healths else UNUSED
