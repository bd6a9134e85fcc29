"""An instance refresh, step by step. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html

    Pending → InProgress → (Baking →) Successful
                  │ an alarm, or patience over            ┌→ RollbackSuccessful
                  └→ Failed, or with auto rollback RollbackInProgress → RollbackFailed
    Cancelling → Cancelled; what was replaced stays replaced

The group gets the desired configuration when the refresh has succeeded, not before: until then, what is launched for
another reason than the refresh is of the refresh's version all the same, and a rollback leads to the group's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lyceum_lab.cloud.group.core import Group, Life, Machine, Replacing, warm


class Status(StrEnum):
    """As the API names them."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    BAKING = "Baking"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    ROLLING_BACK = "RollbackInProgress"
    ROLLED_BACK = "RollbackSuccessful"
    ROLLBACK_FAILED = "RollbackFailed"


ACTIVE = {Status.PENDING, Status.IN_PROGRESS, Status.BAKING, Status.CANCELLING, Status.ROLLING_BACK}
# Under way with the replacing itself.
REPLACING = {Status.IN_PROGRESS, Status.BAKING, Status.ROLLING_BACK}


@dataclass(frozen=True)
class Refresh:
    """A refresh under way; times in seconds, percentages as the API gives them."""

    id: str
    status: Status
    version: str  # of the desired configuration
    min_healthy: int = 90
    max_healthy: int = 100
    warm_up: float = 0.0
    bake: float = 0.0
    patience: float = 3600.0
    skip_matching: bool = False
    auto_rollback: bool = False
    # What it keeps of its way.
    before: frozenset[str] = frozenset()  # instances that were there when it began
    total: int = 0
    remaining: int = 0
    moved: float = 0.0  # when it last came closer to its end
    baking_since: float = 0.0
    reason: str = ""

    @property
    def percent(self) -> int:
        if self.status is Status.SUCCESSFUL or not self.total:
            return 100 if self.status in {Status.SUCCESSFUL, Status.BAKING} else 0
        return 100 * (self.total - min(self.remaining, self.total)) // self.total

    def outdated(self, machines: Sequence[Machine]) -> list[Machine]:
        """The machines that have to go."""
        live = [machine for machine in machines if machine.life is not Life.TERMINATING]
        if self.status is Status.ROLLING_BACK:
            return [machine for machine in live if machine.version == self.version]
        return [m for m in live if m.version != self.version or (not self.skip_matching and m.id in self.before)]

    def replacing(self, group: Group, machines: Sequence[Machine]) -> Replacing | None:
        """What the core has to know of it."""
        if self.status not in REPLACING:
            return None
        back = self.status is Status.ROLLING_BACK
        return Replacing(
            outdated=frozenset(machine.id for machine in self.outdated(machines)),
            version=group.version if back else self.version,
            min_healthy=self.min_healthy,
            max_healthy=max(self.max_healthy, 100),
            warm_up=self.warm_up,
        )


def step(now: float, refresh: Refresh, group: Group, machines: Sequence[Machine], *, alarm: str = "") -> Refresh:
    """The refresh as it is now. `alarm` names one of its alarms that rings."""
    if refresh.status is Status.CANCELLING:
        return replace(refresh, status=Status.CANCELLED, reason="Cancelled due to user request.")
    if refresh.status is Status.PENDING:
        refresh = replace(
            refresh, status=Status.IN_PROGRESS, moved=now, before=frozenset(machine.id for machine in machines)
        )
        total = len(refresh.outdated(machines))
        refresh = replace(refresh, total=total, remaining=total)
        if not total:
            return replace(refresh, status=Status.SUCCESSFUL, reason="No instances had to be replaced.")
    if refresh.status not in REPLACING:
        return refresh
    forward = refresh.status is not Status.ROLLING_BACK
    if forward and alarm:
        return _fail(now, refresh, machines, f"The alarm {alarm} rings.")

    outdated = refresh.outdated(machines)
    ready = sum(
        warm(machine, group, now, refresh.warm_up)
        for machine in machines
        if machine.life is not Life.TERMINATING and machine not in outdated
    )
    remaining = max(len(outdated), group.desired - ready)
    if remaining < refresh.remaining:
        refresh = replace(refresh, remaining=remaining, moved=now)
    if remaining:
        if now - refresh.moved < refresh.patience:
            return refresh
        reason = f"No instance came into service within {refresh.patience:.0f} s."
        return _fail(now, refresh, machines, reason) if forward else replace(
            refresh, status=Status.ROLLBACK_FAILED, reason=reason
        )  # fmt: skip
    if not forward:
        return replace(refresh, status=Status.ROLLED_BACK)
    if refresh.bake:
        if refresh.status is not Status.BAKING:
            return replace(refresh, status=Status.BAKING, baking_since=now)
        if now - refresh.baking_since < refresh.bake:
            return refresh
    return replace(refresh, status=Status.SUCCESSFUL, reason="")


def _fail(now: float, refresh: Refresh, machines: Sequence[Machine], reason: str) -> Refresh:
    if not refresh.auto_rollback:
        return replace(refresh, status=Status.FAILED, reason=reason)
    back = replace(refresh, status=Status.ROLLING_BACK, reason=reason, moved=now)
    # Back to the group's own version: as many as were replaced, and at least one is to be waited for.
    total = max(1, len(back.outdated(machines)))
    return replace(back, total=total, remaining=total)


def roll_back(now: float, refresh: Refresh, machines: Sequence[Machine]) -> Refresh:
    """As `RollbackInstanceRefresh` asks."""
    return _fail(now, replace(refresh, auto_rollback=True), machines, "Rollback due to user request.")
