"""Auto Scaling groups that act: what a group's loop tells the emulator, so that the API shows what really is.

A group that nobody has claimed is moto's: it makes instance records of its own and calls all of them healthy. A claimed
one is its loop's (lyceum_lab.cloud.group): moto then keeps the numbers that the API is given, and makes and ends
nothing. The loop launches through the API and tells the rest here, over `POST /_lyceum/groups`, as a list of facts:

    {"fact": "claim", "group": G}                what moto had made of it is ended; its capacity stays what it was
    {"fact": "release", "group": G}              moto's again
    {"fact": "attach", "group": G, "instance": I, "version": V}
    {"fact": "life", "instance": I, "lifecycle": "InService", "health": "Healthy"}
    {"fact": "power", "instance": I, "state": "running"}
    {"fact": "gone", "instance": I}              the machine is no more
    {"fact": "targets", "arn": A, "health": {I: [state, reason, description]}}
    {"fact": "activity", "group": G, …}          as DescribeScalingActivities shows it
    {"fact": "refresh", "group": G, "id": R, …}  fields of DescribeInstanceRefreshes

A fact about what does not exist any more is passed over: the world may have changed under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.backends import get_backend
from moto.ec2.models.instances import InstanceState as PowerState

from lyceum_lab.emulator import ACCOUNT

# How many activities of a group are kept; AWS keeps them for six weeks.
KEPT = 200
_POWER = {"pending": 0, "running": 16, "shutting-down": 32}

Fact = Mapping[str, Any]


def tell(region: str, facts: Iterable[Fact]) -> None:
    """Take the facts in, in their order. Raises ValueError for what is no fact."""
    for fact in facts:
        kind = fact.get("fact")
        if kind not in _TOLD:
            raise ValueError(f"{kind!r} is no fact about a group; there are {', '.join(_TOLD)}")
        try:
            _TOLD[kind](region, fact)
        except KeyError as error:
            raise ValueError(f"a fact of the kind {kind} wants {error}") from error


def acts(group: FakeAutoScalingGroup) -> bool:
    """Whether a loop has claimed it."""
    return bool(getattr(group, "lyceum_acts", False))


def target_health(arn: str) -> dict[str, list[str]] | None:
    """What the load balancer's stand-in says of the targets of a group; None where none has said anything."""
    found: dict[str, list[str]] | None = _autoscaling_table("target health").get(arn)
    return found


def _backend(service: str, region: str) -> Any:
    return get_backend(service)[ACCOUNT][region]  # type: ignore[call-overload]


def _autoscaling_table(name: str) -> dict[Any, Any]:
    from lyceum_lab.emulator.fillers.autoscaling import autoscaling

    return autoscaling.table(name)


def find(region: str, name: str) -> FakeAutoScalingGroup | None:
    """The group of this name, whether a loop has claimed it or not."""
    found: FakeAutoScalingGroup | None = _backend("autoscaling", region).autoscaling_groups.get(name)
    return found


def _state(region: str, instance: str) -> InstanceState | None:
    groups = _backend("autoscaling", region).autoscaling_groups.values()
    return next((one for group in groups for one in group.instance_states if one.instance.id == instance), None)


def _claim(region: str, fact: Fact) -> None:
    if (group := find(region, fact["group"])) is None or acts(group):
        return
    setattr(group, "lyceum_acts", True)  # noqa: B010 - moto's class does not know it
    for state in list(group.instance_states):
        _gone(region, {"instance": state.instance.id})


def _release(region: str, fact: Fact) -> None:
    if group := find(region, fact["group"]):
        setattr(group, "lyceum_acts", False)  # noqa: B010


def _attach(region: str, fact: Fact) -> None:
    group = find(region, fact["group"])
    instance = _backend("ec2", region).get_instance_by_id(fact["instance"])
    if group is None or instance is None:
        return
    # Tags that begin with aws: are AWS's to write.
    instance.add_tags({ASG_NAME_TAG: group.name})
    instance._state = PowerState("pending", _POWER["pending"])
    made = InstanceState(
        instance,
        lifecycle_state="Pending",
        protected_from_scale_in=group.new_instances_protected_from_scale_in,
        autoscaling_group=group,
    )
    setattr(made, "lyceum_version", str(fact["version"]))  # noqa: B010
    group.instance_states.append(made)


def _life(region: str, fact: Fact) -> None:
    if state := _state(region, fact["instance"]):
        state.lifecycle_state = fact.get("lifecycle", state.lifecycle_state)
        state.health_status = fact.get("health", state.health_status)


def _power(region: str, fact: Fact) -> None:
    if instance := _backend("ec2", region).get_instance_by_id(fact["instance"]):
        instance._state = PowerState(fact["state"], _POWER[fact["state"]])


def _gone(region: str, fact: Fact) -> None:
    identity = fact["instance"]
    if state := _state(region, identity):
        state.auto_scaling_group.instance_states.remove(state)
    ec2 = _backend("ec2", region)
    if (instance := ec2.get_instance_by_id(identity)) and instance.state != "terminated":
        ec2.terminate_instances([identity])
    for group in _backend("elbv2", region).target_groups.values():
        group.deregister_terminated_instances([identity])
        group.terminated_targets.pop(identity, None)


def _targets(_: str, fact: Fact) -> None:
    _autoscaling_table("target health")[fact["arn"]] = dict(fact["health"])


def _activity(_: str, fact: Fact) -> None:
    told = {name: value for name, value in fact.items() if name not in {"fact", "group"}}
    kept = _autoscaling_table("activities").setdefault(fact["group"], [])
    for known in kept:
        if known["ActivityId"] == told["ActivityId"]:
            known.update(told)
            return
    kept.insert(0, {"AutoScalingGroupName": fact["group"], **told})
    del kept[KEPT:]


def _refresh(_: str, fact: Fact) -> None:
    told = {name: value for name, value in fact.items() if name not in {"fact", "group", "id"}}
    for known in _autoscaling_table("refreshes").get(fact["group"], []):
        if known["InstanceRefreshId"] == fact["id"]:
            known.update(told)


_TOLD: dict[str, Callable[[str, Fact], None]] = {
    "claim": _claim, "release": _release, "attach": _attach, "life": _life, "power": _power, "gone": _gone,
    "targets": _targets, "activity": _activity, "refresh": _refresh,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- moto stands back


def stand_back() -> None:
    """Let moto make and end nothing of a group that acts; once, when the process starts."""
    from moto.autoscaling.models import AutoScalingBackend, TerminateInstanceActivity

    set_desired_capacity = FakeAutoScalingGroup.set_desired_capacity
    replace_instances = FakeAutoScalingGroup.replace_autoscaling_group_instances
    update_targets = AutoScalingBackend.update_attached_target_groups
    terminate_instance = AutoScalingBackend.terminate_instance
    launch_template = vars(InstanceState)["launch_template"].fget

    def note_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
        if acts(self):
            self.desired_capacity = self.min_size if new_capacity is None else new_capacity
        else:
            set_desired_capacity(self, new_capacity)

    def replace_nothing(self: FakeAutoScalingGroup, count_needed: int, propagated_tags: dict[str, str]) -> None:
        if not acts(self):
            replace_instances(self, count_needed, propagated_tags)

    def sign_nobody_in(self: Any, group_name: str) -> None:
        if not acts(self.autoscaling_groups[group_name]):
            update_targets(self, group_name)

    def mark_terminating(self: Any, instance_id: str, should_decrement: bool) -> Any:
        state = _state(self.region_name, instance_id)
        if state is None or not acts(state.auto_scaling_group):
            return terminate_instance(self, instance_id, should_decrement)
        group = state.auto_scaling_group
        before = group.desired_capacity
        if should_decrement:
            group.desired_capacity = before - 1
        # The loop finds it so, signs it out and ends it when it has drained.
        state.lifecycle_state = "Terminating"
        return TerminateInstanceActivity(state.instance, before)

    def own_version(self: InstanceState) -> Any:
        told = launch_template(self)
        version = getattr(self, "lyceum_version", "")
        return {**told, "Version": version} if told and version else told

    for owner, name, made in (
        (FakeAutoScalingGroup, "set_desired_capacity", note_capacity),
        (FakeAutoScalingGroup, "replace_autoscaling_group_instances", replace_nothing),
        (AutoScalingBackend, "update_attached_target_groups", sign_nobody_in),
        (AutoScalingBackend, "terminate_instance", mark_terminating),
        (InstanceState, "launch_template", property(own_version)),
    ):
        setattr(owner, name, made)
