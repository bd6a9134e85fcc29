"""A group whose machines are only thought of: what the core decides happens, in a minute of no time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lyceum_lab.cloud.group import core
from lyceum_lab.cloud.group.core import Drain, Enter, Group, Launch, Life, Machine, MarkUnhealthy, Power, Terminate
from lyceum_lab.cloud.group.refresh import Refresh, step

SUBNETS = {"subnet-a": "a", "subnet-b": "b"}
# As `infra/modules/servers` deploys it.
DEPLOYED = Group(
    name="servers", desired=1, version="1", subnets=SUBNETS, least=1, most=2, grace=300, warm_up=180,
    min_healthy=100, max_healthy=200, lifetime=30 * 86_400,
)  # fmt: skip


@dataclass
class World:
    """Boots in `boot` seconds, is called healthy `check` seconds later, drains for `delay`."""

    group: Group = DEPLOYED
    boot: float = 30
    check: float = 20
    delay: float = 30
    now: float = 0.0
    machines: dict[str, Machine] = field(default_factory=dict)
    drained_at: dict[str, float] = field(default_factory=dict)
    refresh: Refresh | None = None
    alarm: str = ""
    # Whether a machine of this version ever passes a check; whether its boot ends in a running machine.
    passes: Callable[[Machine], bool] = lambda machine: True
    # What the invariants saw, each second.
    serving: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    made: int = 0

    def run(self, seconds: int) -> World:
        for _ in range(seconds):
            self.tick()
        return self

    def tick(self) -> None:
        self.now += 1
        for machine in list(self.machines.values()):
            self.machines[machine.id] = self.lived(machine)
        machines = list(self.machines.values())
        if self.refresh:
            self.refresh = step(self.now, self.refresh, self.group, machines, alarm=self.alarm)
            if self.refresh.status == "Successful":
                self.group = replace(self.group, version=self.refresh.version)
        replacing = self.refresh.replacing(self.group, machines) if self.refresh else None
        for action in core.decide(self.now, self.group, machines, replacing):
            self.act(action)
        self.serving.append(sum(core.serves(m, self.group) for m in self.machines.values()))
        self.live.append(sum(m.life is not Life.TERMINATING for m in self.machines.values()))

    def lived(self, machine: Machine) -> Machine:
        if machine.power is Power.STARTING and self.now - machine.launched >= self.boot:
            machine = replace(machine, power=Power.RUNNING)
        since = machine.in_service_since
        if machine.life is Life.IN_SERVICE and since is not None and self.now - since >= self.check:
            well = machine.power is Power.RUNNING and self.passes(machine)
            ready = machine.ready_since if machine.ready_since is not None or not well else self.now
            machine = replace(machine, target="healthy" if well else "unhealthy", ready_since=ready)
        if machine.id in self.drained_at and self.now - self.drained_at[machine.id] >= self.delay:
            machine = replace(machine, target="")
        return machine

    def act(self, action: core.Action) -> None:
        match action:
            case Launch():
                self.made += 1
                self.launches.append(action)
                made = Machine(f"i-{self.made}", action.subnet, action.version, Life.PENDING, self.now, Power.STARTING)
                self.machines[made.id] = made
            case Enter(id=one):
                self.change(one, life=Life.IN_SERVICE, in_service_since=self.now, target="initial")
            case MarkUnhealthy(id=one, cause=cause):
                self.change(one, healthy=False)
                self.causes.append(cause)
            case Drain(id=one, cause=cause):
                self.change(one, life=Life.TERMINATING, target="draining")
                self.drained_at[one] = self.now
                self.causes.append(cause)
            case Terminate(id=one):
                del self.machines[one]

    def change(self, machine: str, **fields: object) -> None:
        self.machines[machine] = replace(self.machines[machine], **fields)  # type: ignore[arg-type]

    def want(self, **fields: object) -> World:
        self.group = replace(self.group, **fields)  # type: ignore[arg-type]
        return self

    @property
    def ids(self) -> list[str]:
        return list(self.machines)

    @property
    def versions(self) -> list[str]:
        return [machine.version for machine in self.machines.values()]
