"""What an Auto Scaling group does now. Pure: the group and its machines in, actions out. All times are seconds.

The rules, and where AWS states them:

- An instance is `Pending` until it runs, then signed in at the load balancer and `InService`. What is not running is
  unhealthy at once; what the load balancer calls unhealthy, after the grace period.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-checks-overview.html
- A maintenance policy with a least of 100 percent launches before it terminates, whatever the reason of a replacement:
  health, age, a refresh. Without one, an unhealthy instance goes at once.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-maintenance-policy.html
- An instance that leaves is signed out first and terminated when its draining is over.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
- The default termination policy: the zone with most instances, there the oldest version of the template, then the
  oldest instance (AWS: the one next to its billing hour). Protected instances stay.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
- New instances go to the zone that has fewest.

Whether a replacement may pass the group's maximum is not documented for maintenance; here it may, as it must where one
instance is the maximum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Life(StrEnum):
    """Of an instance in its group, as the API names it."""

    PENDING = "Pending"
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"


class Power(StrEnum):
    """Of the machine itself."""

    STARTING = "starting"
    RUNNING = "running"
    GONE = "gone"


@dataclass(frozen=True)
class Machine:
    """One instance of the group. `target` is its state at the load balancer, "" where it is not signed in."""

    id: str
    subnet: str
    version: str
    life: Life
    launched: float
    power: Power = Power.RUNNING
    target: str = ""
    in_service_since: float | None = None
    ready_since: float | None = None  # first passed check of the load balancer
    healthy: bool = True  # as the group's record says
    protected: bool = False


@dataclass(frozen=True)
class Group:
    """What the group is told to be. `subnets` maps each to its zone."""

    name: str
    desired: int
    version: str
    subnets: dict[str, str]
    least: int = 0
    most: int = 1
    asks_balancer: bool = True
    grace: float = 300.0
    warm_up: float = 0.0
    min_healthy: int | None = None  # percent; None: no maintenance policy
    max_healthy: int | None = None
    lifetime: float = 0.0  # 0: for ever
    suspended: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Replacing:
    """What a refresh under way wants: these machines gone, new ones of this version, within these percentages."""

    outdated: frozenset[str]
    version: str
    min_healthy: int
    max_healthy: int
    warm_up: float


@dataclass(frozen=True)
class Launch:
    subnet: str
    version: str
    cause: str


@dataclass(frozen=True)
class Enter:
    """Sign in at the load balancer; in service."""

    id: str


@dataclass(frozen=True)
class MarkUnhealthy:
    id: str
    cause: str


@dataclass(frozen=True)
class Drain:
    """Sign out; leaving."""

    id: str
    cause: str


@dataclass(frozen=True)
class Terminate:
    id: str


Action = Launch | Enter | MarkUnhealthy | Drain | Terminate


def serves(machine: Machine, group: Group) -> bool:
    """Whether it is in service and nothing speaks against it."""
    if machine.life is not Life.IN_SERVICE or machine.power is not Power.RUNNING or not machine.healthy:
        return False
    return machine.target == "healthy" or not group.asks_balancer


def warm(machine: Machine, group: Group, now: float, warm_up: float | None = None) -> bool:
    """Whether it serves, and has for as long as the warm-up."""
    since = machine.ready_since if group.asks_balancer else machine.in_service_since
    needed = group.warm_up if warm_up is None else warm_up
    return serves(machine, group) and since is not None and now - since >= needed


def decide(now: float, group: Group, machines: Sequence[Machine], replacing: Replacing | None = None) -> list[Action]:
    """What is to be done. Called again and again; what was decided before shows in the machines."""
    actions: list[Action] = []
    for machine in machines:
        if machine.life is Life.PENDING and machine.power is Power.RUNNING:
            actions.append(Enter(machine.id))
        elif machine.life is Life.TERMINATING and not machine.target:
            actions.append(Terminate(machine.id))

    live = [machine for machine in machines if machine.life is not Life.TERMINATING]
    unwell: dict[str, str] = {}
    if "HealthCheck" not in group.suspended:
        for machine in live:
            if cause := _illness(machine, group, now):
                unwell[machine.id] = cause
                if machine.healthy:
                    actions.append(MarkUnhealthy(machine.id, cause))
    doomed = _doomed(now, group, live, unwell, replacing)
    kept = [machine for machine in live if machine.id not in doomed]

    low, high = _bounds(group, replacing)
    floor = math.ceil(group.desired * low / 100)
    # There is always room for one more where one has to come before another goes.
    room = max(math.floor(group.desired * high / 100), floor + 1 if low == 100 and doomed else group.desired)
    free = room - len(live)
    missing = min(group.desired - len(kept), free)
    if missing > 0 and "Launch" not in group.suspended:
        actions += _launches(group, live, missing, replacing, doomed)

    if "Terminate" not in group.suspended:
        warm_up = replacing.warm_up if replacing else None
        ready = sum(warm(machine, group, now, warm_up) for machine in kept)
        serving = sum(serves(machine, group) for machine in live if machine.id in doomed)
        for machine in sorted((m for m in live if m.id in doomed), key=lambda m: (m.id not in unwell, m.launched)):
            loss = serves(machine, group)
            gone = machine.power is Power.GONE
            if gone or ready + serving - loss >= floor:
                actions.append(Drain(machine.id, doomed[machine.id]))
                serving -= loss
        leaving = {action.id for action in actions if isinstance(action, Drain)}
        failed = [m for m in live if m.id in unwell and m.id in doomed and m.id not in leaving and not serves(m, group)]
        if replacing is None and failed and not leaving and len(kept) < group.desired and free <= 0:
            # The unhealthy are no capacity: they make room for the next that is tried.
            first = min(failed, key=lambda machine: machine.launched)
            actions.append(Drain(first.id, doomed[first.id]))
        surplus = len(kept) - group.desired
        actions += [
            Drain(machine.id, f"shrinking the capacity from {len(kept)} to {group.desired}")
            for machine in _victims(group, kept, surplus)
        ]
    return actions


def _illness(machine: Machine, group: Group, now: float) -> str:
    if machine.power is Power.GONE:
        return "an EC2 health check indicating it has been terminated or stopped"
    if machine.life is not Life.IN_SERVICE:
        return ""
    if not machine.healthy:
        return "a user health-check"
    since = machine.in_service_since
    if group.asks_balancer and machine.target == "unhealthy" and since is not None and now - since >= group.grace:
        return "an ELB system health check failure"
    return ""


def _doomed(
    now: float, group: Group, live: Sequence[Machine], unwell: dict[str, str], replacing: Replacing | None
) -> dict[str, str]:
    """Machines that another one has to take the place of, each with why."""
    doomed: dict[str, str] = {}
    for machine in live:
        if machine.id in unwell and "ReplaceUnhealthy" not in group.suspended:
            doomed[machine.id] = f"taken out of service in response to {unwell[machine.id]}"
        elif replacing and machine.id in replacing.outdated:
            doomed[machine.id] = "taken out of service in response to an instance refresh"
        elif group.lifetime and now - machine.launched >= group.lifetime and machine.life is Life.IN_SERVICE:
            doomed[machine.id] = "taken out of service as it exceeded the max instance lifetime"
    return doomed


def _bounds(group: Group, replacing: Replacing | None) -> tuple[int, int]:
    if replacing:
        return replacing.min_healthy, replacing.max_healthy
    if group.min_healthy is None or group.max_healthy is None:
        return 0, 100
    return group.min_healthy, group.max_healthy


def _launches(
    group: Group, live: Sequence[Machine], number: int, replacing: Replacing | None, doomed: dict[str, str]
) -> Iterable[Launch]:
    # Where one is about to leave counts as having one less.
    per_subnet = {subnet: sum(m.subnet == subnet and m.id not in doomed for m in live) for subnet in group.subnets}
    version = replacing.version if replacing else group.version
    cause = "replace an instance" if doomed else f"increase the capacity to {group.desired}"
    for _ in range(number):
        subnet = min(group.subnets, key=lambda subnet: _zone_count(group, per_subnet, subnet))
        per_subnet[subnet] += 1
        yield Launch(subnet, version, cause)


def _zone_count(group: Group, per_subnet: dict[str, int], subnet: str) -> tuple[int, int]:
    zone = group.subnets[subnet]
    return sum(count for other, count in per_subnet.items() if group.subnets[other] == zone), per_subnet[subnet]


def _victims(group: Group, kept: Sequence[Machine], number: int) -> list[Machine]:
    victims: list[Machine] = []
    left = [machine for machine in kept if not machine.protected]
    for _ in range(max(0, number)):
        if not left:
            break
        zones = [group.subnets.get(machine.subnet, "") for machine in kept if machine not in victims]
        chosen = min(
            left,
            key=lambda m: (-zones.count(group.subnets.get(m.subnet, "")), _number(m.version), m.launched),
        )
        left.remove(chosen)
        victims.append(chosen)
    return victims


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0
