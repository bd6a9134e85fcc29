"""The loop: reads the group, decides, and lets it happen; once a scaled minute it asks the scaling policies.

Booting and ending a machine take seconds and are done by a few hands beside the loop. Their threads live as long as
the loop, because the kernel ends a child with the thread that started it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lyceum_lab.cloud.balancer.haproxy import LoadBalancer
from lyceum_lab.cloud.group import core, metrics, refresh
from lyceum_lab.cloud.group.alarms import Bells
from lyceum_lab.cloud.group.core import Drain, Enter, Launch, Life, Machine, MarkUnhealthy, Power, Terminate
from lyceum_lab.cloud.group.face import Face, Launched, Recorded, Shown
from lyceum_lab.scaling import policies, tracking
from lyceum_lab.scaling.metric_math import Point
from lyceum_ops.errors import LyceumError

LOOK = 0.5  # seconds between two looks at the group
HANDS = 4  # machines that are booted or ended at once
LATE = 0.3  # of a minute: how long a minute's data points may take to arrive
# Seconds after a launch that failed before the next is tried; AWS waits longer each time.
AFTER_FAILURE = 5.0
# The emulator or a node is being lost, or has not answered in time; another try may find it again.
LOST = (LyceumError, ClientError, BotoCoreError, OSError)


class Machines(Protocol):
    """Whoever boots machines. Every call may come from a thread of its own, and may take its time."""

    def launch(self, instance: Launched) -> None:
        """Attach it to its subnet and boot it. Returns when it boots, not when it has booted."""

    def terminate(self, instance: str) -> None:
        """End it and give back its place. Does nothing when it is gone already."""

    def alive(self, instance: str) -> bool:
        """Whether its machine runs (boots, or has booted)."""

    def cpu_seconds(self, instance: str) -> float | None:
        """CPU time that it has used since it was launched, of all its processes; None when nobody can tell."""


@dataclass
class _Known:
    """What only the loop knows of an instance."""

    launched: float
    power: Power = Power.STARTING
    in_service_since: float | None = None
    ready_since: float | None = None
    activity: str = ""
    ending: bool = False
    cpu: float | None = None
    cpu_at: float = 0.0


@dataclass(frozen=True)
class Event:
    """Something that happened, for people and for tests. `at` is a `time.time()`."""

    at: float
    what: str
    instance: str = ""


@dataclass
class AutoScaler:
    """One group at work.

    `address` turns an instance into where the load balancer reaches it; by default its address in the API.
    """

    face: Face
    balancer: LoadBalancer
    machines: Machines
    scale: float = 1.0
    address: Callable[[Recorded], tuple[str, int | None]] = lambda one: (one.address, None)
    events: list[Event] = field(default_factory=list)
    trouble: str = ""  # why the last look failed; "" when it did not

    def __post_init__(self) -> None:
        if self.scale <= 0 or (metrics.PERIOD / self.scale) % 1:
            raise LyceumError(
                f"A time scale of {self.scale} leaves no whole seconds of a minute.", "Take 1, 2, 3, 4, 5, 6, 10, 12 …"
            )
        self._known: dict[str, _Known] = {}
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="machines")
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._refresh: refresh.Refresh | None = None
        self._tracker: tracking.Tracker | None = None
        self._window = metrics.Window.of(time.time(), self.scale)
        self._counted: dict[str, tuple[int, int]] = {}
        self._bad_answers = 0
        self._bells = Bells(self.face.cloudwatch)
        self._launch_after = 0.0
        self._told = ""
        self._reported: dict[str, dict[str, list[str]]] = {}

    # ------------------------------------------------------------------------------------------------ life

    def start(self) -> None:
        """Claim the group and go on until `stop`. Raises LyceumError when there is no such group."""
        self.face.read()
        self.face.claim()
        self._thread = threading.Thread(target=self._run, name=f"group {self.face.name}", daemon=True)
        self._thread.start()

    def stop(self, *, machines: bool = True) -> None:
        """End the loop, and with `machines` all that it launched; the group is moto's again."""
        self._ended.set()
        if self._thread:
            self._thread.join(timeout=60)
        self._hands.shutdown(wait=True)
        if machines:
            for instance in list(self._known):
                self.machines.terminate(instance)
                self.face.tell({"fact": "gone", "instance": instance})
        self.face.release()

    @property
    def running(self) -> bool:
        """Whether the loop goes on; it ends by `stop`, or by a defect of its own."""
        return self._thread is not None and self._thread.is_alive()

    def __enter__(self) -> AutoScaler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._ended.wait(LOOK):
            try:
                self.step()
                self.trouble = ""
            except LOST as error:
                self.trouble = f"{type(error).__name__}: {error}"
                # A minute that could not be measured is followed by looks that need no measure: it has to stay seen.
                if self.trouble != self._told:
                    self._told = self.trouble
                    self._note(f"could not go on: {self.trouble}")

    # ------------------------------------------------------------------------------------------------ one look

    def step(self) -> None:
        """Look once, and do what is to be done."""
        now = time.monotonic()
        shown = self.face.read()
        machines = self._machines(now, shown)
        self._report_targets(shown)
        replacing = self._refreshed(now, shown, machines)
        for action in core.decide(now, shown.group, machines, replacing):
            self._act(now, shown, action)
        self._scale(now, shown, machines)

    def _machines(self, now: float, shown: Shown) -> list[Machine]:
        states = {arn: self.balancer.states(arn) for arn in shown.target_groups}
        found = []
        for one in shown.instances:
            known = self._known.setdefault(one.id, _Known(now, Power.RUNNING))
            with self._lock:
                power = known.power
            if power is Power.RUNNING and not self.machines.alive(one.id):
                power = Power.GONE
            targets = [health[one.id].state.value for health in states.values() if one.id in health]
            target = next((state for state in targets if state != "healthy"), targets[0] if targets else "")
            life = _life(one.lifecycle)
            if life is Life.TERMINATING and target not in {"", "draining"}:
                # Terminated through the API: it still has to be signed out.
                self._drain(shown, one.id)
                target = "draining"
            if life is Life.IN_SERVICE:
                known.in_service_since = known.in_service_since or now
            if target == "healthy" and known.ready_since is None:
                known.ready_since = now
                self._note("serves", one.id)
                if known.activity:
                    self.face.activity("", "", identity=known.activity, status="Successful")
            found.append(
                Machine(
                    id=one.id,
                    subnet=one.subnet,
                    version=one.version,
                    life=life,
                    launched=known.launched,
                    power=power,
                    target=target,
                    in_service_since=known.in_service_since,
                    ready_since=known.ready_since,
                    healthy=one.healthy,
                    protected=one.protected,
                )
            )
        self._forget(shown)
        return found

    def _forget(self, shown: Shown) -> None:
        """An instance that left the API without us: its machine goes too."""
        there = {one.id for one in shown.instances}
        for instance, known in list(self._known.items()):
            if instance not in there and not known.ending:
                self._note("is gone from the API", instance)
                for arn in shown.target_groups:
                    self.balancer.deregister(arn, instance)
                self._end(instance)

    def _report_targets(self, shown: Shown) -> None:
        for arn in shown.target_groups:
            health = {
                target: [each.state.value, each.reason, each.description]
                for target, each in self.balancer.states(arn).items()
            }
            # The emulator keeps it: only what changed is news.
            if self._reported.get(arn) != health:
                self.face.tell({"fact": "targets", "arn": arn, "health": health})
                self._reported[arn] = health

    def _refreshed(self, now: float, shown: Shown, machines: Sequence[Machine]) -> core.Replacing | None:
        asked = self.face.refresh(shown.group)
        if asked is None:
            return None
        wanted, told = asked
        current = self._refresh
        if current is None or current.id != wanted.id:
            if wanted.status not in refresh.ACTIVE:
                return None
            current = wanted
            self._note(f"refresh to version {wanted.version} begins")
        elif wanted.status is refresh.Status.CANCELLING and current.status in refresh.ACTIVE:
            current = replace(current, status=wanted.status)
        elif wanted.status is refresh.Status.ROLLING_BACK and current.status in {
            refresh.Status.IN_PROGRESS, refresh.Status.BAKING,
        }:  # fmt: skip
            current = refresh.roll_back(now, current, machines)
        if current.status not in refresh.ACTIVE:
            return None
        before = current.status
        current = refresh.step(now, current, shown.group, machines, alarm=self.face.ringing(told))
        if current.status is not before:
            self._note(f"refresh: {current.status.value} {current.reason}".rstrip())
        if current.status is refresh.Status.SUCCESSFUL and current.version != shown.group.version:
            self.face.adopt(shown.template, current.version)
        self.face.report_refresh(current, told)
        self._refresh = current
        return current.replacing(shown.group, machines)

    # ------------------------------------------------------------------------------------------------ actions

    def _act(self, now: float, shown: Shown, action: core.Action) -> None:
        match action:
            case Launch():
                if now >= self._launch_after:
                    self._launch(now, shown, action)
            case Enter(id=instance):
                recorded = next(one for one in shown.instances if one.id == instance)
                for arn in shown.target_groups:
                    self.face.register(arn, instance)
                    address, port = self.address(recorded)
                    self.balancer.register(arn, instance, address, port)
                self.face.tell({"fact": "life", "instance": instance, "lifecycle": "InService"})
                self._known[instance].in_service_since = now
                self._note("is in service, and is checked", instance)
            case MarkUnhealthy(id=instance, cause=cause):
                self.face.tell({"fact": "life", "instance": instance, "health": "Unhealthy"})
                self._note(f"is unhealthy: {cause}", instance)
            case Drain(id=instance, cause=cause):
                self.face.tell({"fact": "life", "instance": instance, "lifecycle": "Terminating"})
                known = self._known[instance]
                known.activity = self.face.activity(
                    f"Terminating EC2 instance: {instance}", f"an instance was {cause}" if "taken" in cause else cause
                )
                self._drain(shown, instance)
                self._note(f"leaves: {cause}", instance)
            case Terminate(id=instance):
                self._end(instance)

    def _launch(self, now: float, shown: Shown, action: Launch) -> None:
        launched = self.face.launch(shown.template, action.version, action.subnet)
        known = self._known[launched.id] = _Known(now)
        known.activity = self.face.activity(
            f"Launching a new EC2 instance: {launched.id}", f"an instance was started in response to: {action.cause}"
        )
        self._note(f"is launched from version {action.version} in {action.subnet}: {action.cause}", launched.id)

        def boot() -> None:
            try:
                self.machines.launch(launched)
                power = Power.RUNNING
                self.face.tell({"fact": "power", "instance": launched.id, "state": "running"})
            except LOST as error:
                power = Power.GONE
                self._launch_after = time.monotonic() + AFTER_FAILURE
                self._note(f"does not boot: {error}", launched.id)
            with self._lock:
                known.power = power
            if power is Power.GONE:
                self._tell_activity(known, "Failed")

        self._hands.submit(boot)

    def _drain(self, shown: Shown, instance: str) -> None:
        for arn in shown.target_groups:
            if instance in self.balancer.states(arn):
                self.balancer.deregister(arn, instance)
            self.face.deregister(arn, instance)

    def _end(self, instance: str) -> None:
        known = self._known.get(instance)
        # Ended since this look began, by the hand that an earlier one sent.
        if known is None or known.ending:
            return
        known.ending = True

        def end() -> None:
            try:
                # Does nothing for one that is gone: what failed after it is tried again with it.
                self.machines.terminate(instance)
                self.face.tell({"fact": "gone", "instance": instance})
            except LOST as error:
                self._note(f"cannot be ended: {error}", instance)
                known.ending = False
                return
            self._tell_activity(known, "Successful")
            self._known.pop(instance, None)
            self._note("is terminated", instance)

        self._hands.submit(end)

    def _tell_activity(self, known: _Known, status: str) -> None:
        """How an activity ended, for whoever reads them; nothing depends on it."""
        if known.activity:
            try:
                self.face.activity("", "", identity=known.activity, status=status)
            except LOST as error:
                self.trouble = f"{type(error).__name__}: {error}"

    def _note(self, what: str, instance: str = "") -> None:
        self.events.append(Event(time.time(), what, instance))

    # ------------------------------------------------------------------------------------------------ scaling

    def _scale(self, now: float, shown: Shown, machines: Sequence[Machine]) -> None:
        window = self._window
        length = window.end - window.begin
        if time.time() < window.end + LATE * length:
            return
        self._window = metrics.Window.of(time.time() - LATE * length, self.scale)
        cpu = self._publish(shown, machines, window)
        names = {shown.group.name, self._balancer, *map(_suffix, shown.target_groups)}
        for changed in self._bells.look(names, window):
            self._note(changed)
        tracker = self._policies()
        if tracker is None or "AlarmNotification" in shown.group.suspended:
            return
        group = shown.group
        warm = {machine.id for machine in machines if core.warm(machine, group, now)}
        settled = {
            metric: metrics.mean_cpu(cpu, machines, group, warm) for metric in tracker.metrics() if metric.settled
        }
        measured = metrics.measure(self.face.cloudwatch, tracker.metrics(), window, settled)
        staying = [machine for machine in machines if machine.life is not Life.TERMINATING]
        wanted = tracker.decide(
            measured,
            tracking.Group(group.desired, len(warm), len(staying) - len(warm), group.least, group.most),
        )
        if wanted != group.desired:
            self._note(f"the policies want {wanted} instead of {group.desired}: {_told(measured)}")
            self.face.set_desired(wanted)

    def _policies(self) -> tracking.Tracker | None:
        found = policies.read(self.face.autoscaling, self.face.name)
        if not found:
            self._tracker = None
        elif self._tracker is None or self._tracker.policies != found:
            self._tracker = tracking.Tracker(found)
        return self._tracker

    def _publish(self, shown: Shown, machines: Sequence[Machine], window: metrics.Window) -> dict[str, Point]:
        """The minute's CPU of each instance, after it was published with all else that AWS publishes by itself."""
        cpu: dict[str, Point] = {}
        for machine in machines:
            known = self._known.get(machine.id)
            if known is None or machine.life is not Life.IN_SERVICE or machine.power is not Power.RUNNING:
                continue
            used, at = self.machines.cpu_seconds(machine.id), time.monotonic()
            cpu[machine.id] = metrics.cpu_percent(known.cpu, used, at - known.cpu_at)
            known.cpu, known.cpu_at = used, at
        cloudwatch = self.face.cloudwatch
        metrics.publish(cloudwatch, "AWS/EC2", metrics.of_servers(shown.group.name, cpu, window.middle))
        own = metrics.of_group(shown.group, machines, shown.metrics, window.middle)
        metrics.publish(cloudwatch, "AWS/AutoScaling", own)
        answered = 0
        for arn in shown.target_groups:
            counts = self.balancer.counts(arn).values()
            total = sum(one[0] for one in counts), sum(one[1] for one in counts)
            # Servers take their counts with them when they go: what came since is at least nothing.
            before = self._counted.get(arn, (0, 0))
            requests, errors = (max(0, new - old) for new, old in zip(total, before, strict=True))
            self._counted[arn] = total
            answered += errors
            dimensions = {"LoadBalancer": self._balancer, "TargetGroup": _suffix(arn)}
            data = metrics.of_targets(shown.group, machines, dimensions, requests, errors, window.middle)
            metrics.publish(cloudwatch, "AWS/ApplicationELB", data)
        bad = self.balancer.bad_answers()
        # What visitors saw and no server said, the load balancer said itself.
        in_their_place = max(0, bad - self._bad_answers - answered)
        self._bad_answers = bad
        data = metrics.of_balancer(self._balancer, in_their_place, window.middle)
        metrics.publish(cloudwatch, "AWS/ApplicationELB", data)
        return cpu

    @property
    def _balancer(self) -> str:
        return self.balancer.balancer.arn.partition(":loadbalancer/")[2]


def _suffix(target_group: str) -> str:
    return target_group.rsplit(":", 1)[1]


def _life(lifecycle: str) -> Life:
    """The API has more states than these; what waits for somebody is about to be, what terminates leaves."""
    if lifecycle.startswith("Terminating"):
        return Life.TERMINATING
    return Life.PENDING if lifecycle.startswith("Pending") else Life.IN_SERVICE


def _told(measured: dict[policies.Metric, Point]) -> str:
    return ", ".join(
        f"{metric.name} {'missing' if value is None else round(value, 1)}"
        for metric, value in sorted(measured.items(), key=lambda item: item[0].name)
    )
