"""A group of servers under a load curve: load is shared by the servers in service, and the policies look on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lyceum_lab.scaling.metric_math import Point
from lyceum_lab.scaling.policies import Metric, Policy
from lyceum_lab.scaling.tracking import Group, Tracker


@dataclass(frozen=True)
class Load:
    """What all learners together take in one minute, in percent of one server: its CPU, its memory above idle."""

    cpu: float = 0.0
    memory: float = 0.0


Curve = Callable[[int], Load]
# Whether a metric has a data point in a minute.
Reported = Callable[[Metric, int], bool]


@dataclass(frozen=True)
class Kind:
    """How one server behaves. Times in minutes, the rest in percent of the server."""

    boot: int = 3
    warm_up: int = 3
    idle_cpu: float = 3.0
    idle_memory: float = 45.0
    # While it boots and installs, a server is busy with itself.
    boot_cpu: float = 60.0
    # Workers are recycled: memory that requests took comes back within this time, and no sooner.
    recycling: float = 20.0


@dataclass
class Server:
    """One server; `held` is the memory that requests took and that has not come back yet."""

    launched: int
    held: float = 0.0
    cpu: float = 0.0

    def in_service(self, minute: int, kind: Kind) -> bool:
        return minute >= self.launched + kind.boot

    def warm(self, minute: int, kind: Kind) -> bool:
        return minute >= self.launched + kind.boot + kind.warm_up


@dataclass
class History:
    """What happened: servers wanted at each minute, and the changes as (minute, from, to)."""

    desired: list[int] = field(default_factory=list)
    changes: list[tuple[int, int, int]] = field(default_factory=list)


def run(
    policies: Iterable[Policy],
    curve: Curve,
    *,
    minutes: int,
    least: int = 1,
    most: int = 2,
    start: int = 1,
    kind: Kind | None = None,
    reported: Reported = lambda _metric, _minute: True,
) -> History:
    """Run the group for so many minutes, beginning with `start` warm servers."""
    kind = kind or Kind()
    tracker = Tracker(policies)
    servers = [Server(launched=-kind.boot - kind.warm_up) for _ in range(start)]
    history = History()
    for minute in range(minutes):
        _work(servers, curve(minute), minute, kind)
        measured = {
            metric: _measure(metric, servers, minute, kind) if reported(metric, minute) else None
            for metric in tracker.metrics()
        }
        warm = sum(server.warm(minute, kind) for server in servers)
        group = Group(len(servers), warm, len(servers) - warm, least, most)
        wanted = tracker.decide(measured, group)
        if wanted != len(servers):
            history.changes.append((minute, len(servers), wanted))
        servers += [Server(launched=minute + 1) for _ in range(wanted - len(servers))]
        # The oldest go first, as with the default termination policy.
        servers = servers[len(servers) - wanted :]
        history.desired.append(wanted)
    return history


def _work(servers: list[Server], load: Load, minute: int, kind: Kind) -> None:
    sharing = [server for server in servers if server.in_service(minute, kind)]
    for server in servers:
        share = 1 / len(sharing) if server in sharing else 0.0
        server.cpu = min(100.0, kind.idle_cpu + load.cpu * share) if share else kind.boot_cpu
        given_back = server.held * (1 - 1 / kind.recycling)
        server.held = max(load.memory * share, given_back)


def _measure(metric: Metric, servers: list[Server], minute: int, kind: Kind) -> Point:
    if metric.name == "GroupInServiceInstances":
        return float(sum(server.in_service(minute, kind) for server in servers))
    seen = [s for s in servers if (s.warm(minute, kind) if metric.settled else s.in_service(minute, kind))]
    if not seen:
        return None
    if metric.name == "CPUUtilization":
        return sum(server.cpu for server in seen) / len(seen)
    if metric.name == "mem_used_percent":
        return sum(min(100.0, kind.idle_memory + server.held) for server in seen) / len(seen)
    raise ValueError(f"nothing here measures {metric.namespace} {metric.name}")
