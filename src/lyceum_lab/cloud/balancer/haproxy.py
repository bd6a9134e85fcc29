"""The processes: one haproxy per zone, as AWS has one node per zone, and the load balancer that is made of them.

A thread looks at every node a few times a second and moves targets on: into service after their first passed check,
out when their draining is over. Only it and the callers of `register` and `deregister` speak to haproxy, one at a time.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lyceum_lab.cloud.balancer import configuration, targets
from lyceum_lab.cloud.balancer.described import Balancer, TargetGroup
from lyceum_lab.cloud.balancer.runtime import Row, Runtime
from lyceum_lab.cloud.balancer.targets import Health, State
from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool
from lyceum_ops.processes import die_with_parent

LOOK = 0.2  # seconds between two looks at the nodes


@dataclass(frozen=True)
class Place:
    """Where a node stands: its zone, what to run it with (`ip netns exec NAME`), what it listens on.

    `ports` maps a listener's port to another one, where the real one cannot be had.
    """

    zone: str
    argv_prefix: tuple[str, ...] = ()
    address: str = "*"
    ports: Mapping[int, int] = field(default_factory=dict)


@dataclass
class _Target:
    """One target on one node."""

    group: TargetGroup
    id: str
    address: str
    port: int
    time: int  # how many were signed in before: one that comes back may find its old self still leaving
    health: Health = targets.INITIAL

    @property
    def name(self) -> str:
        return f"{self.id}-{self.port}-{self.time}"


class Node:
    """One process. Not thread-safe: the load balancer holds the lock."""

    def __init__(self, balancer: Balancer, place: Place, folder: Path, scale: float) -> None:
        self.place = place
        self._balancer = balancer
        self._scale = scale
        self._folder = folder
        self._control = folder / f"{place.zone}.sock"
        self.log = folder / f"{place.zone}.log"
        self.runtime = Runtime(self._control)
        self.targets: dict[tuple[str, str], _Target] = {}
        self._times = itertools.count()
        self._leaving: list[str] = []  # haproxy's names of those that were removed and that it keeps yet
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, certificate: Path | None) -> None:
        """Start it and wait until it answers. Raises LyceumError with its own words when it does not."""
        text = configuration.write(
            self._balancer, control=self._control, key=str(self._control), address=self.place.address,
            ports=self.place.ports, certificate=certificate,
        )  # fmt: skip
        file = self._folder / f"{self.place.zone}.cfg"
        file.write_text(text, encoding="utf-8")
        self._control.unlink(missing_ok=True)
        try:
            with self.log.open("ab") as sink:
                self._process = subprocess.Popen(
                    [*self.place.argv_prefix, "haproxy", "-db", "-f", str(file)],
                    stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
                    preexec_fn=die_with_parent(),
                )  # fmt: skip
        except FileNotFoundError as error:
            raise MissingTool("haproxy is not there.", "Install it: apt-get install haproxy") from error
        until = time.monotonic() + 10
        while True:
            with suppress(OSError):
                self.runtime.ask("show info")
                return
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                lines = self.log.read_text(errors="replace").strip().splitlines()
                alerts = [line for line in lines if "ALERT" in line] or lines or ["it said nothing"]
                raise CommandFailed(f"haproxy did not start: {alerts[-1]}", f"Log: {self.log}", tuple(alerts))
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once; what is under way is lost, as when a node is lost."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control.unlink(missing_ok=True)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def register(self, group: TargetGroup, target: str, address: str, port: int) -> None:
        """A target that is checked, and asked as soon as one check has passed."""
        made = _Target(group, target, address, port, next(self._times))
        key = (group.arn, target)
        if known := self.targets.get(key):
            if known.health.state is not State.DRAINING:
                return
            self._remove(known)
        checked, other = self._named(made)
        self.runtime.do(
            f"add server {checked} {configuration.server(group, self._scale, address, port)}",
            f"add server {other} {address}:{port} {configuration.pooled()}",
            # Checked, and not asked yet.
            f"set server {checked} state drain",
            f"enable health {checked}",
            # It takes all of its failed checks to be unhealthy, not one.
            f"set server {checked} health up",
        )
        self.targets[key] = made

    def drain(self, group: TargetGroup, target: str) -> None:
        """No new request; what is under way goes on."""
        if found := self.targets.get((group.arn, target)):
            checked, other = self._named(found)
            self.runtime.do(f"set server {checked} state drain", f"set server {other} state maint")
            found.health = targets.DRAINING

    def remove(self, group: TargetGroup, target: str) -> None:
        """What is still under way is cut."""
        if found := self.targets.pop((group.arn, target), None):
            self._remove(found)

    def look(self) -> None:
        """Bring the states up to date, and new targets into service."""
        self._forget()
        rows = {(row.backend, row.server): row for row in self.runtime.servers()}
        for target in self.targets.values():
            row = rows.get((configuration.backend(target.group), target.name))
            if row is not None and target.health.state is not State.DRAINING:
                self._move(target, row)

    def counts(self, group: TargetGroup) -> dict[str, tuple[int, int]]:
        """By target: the requests it got, and how many of its answers were of 500 and more."""
        wanted = {configuration.backend(group), configuration.fallback(group)}
        found: dict[str, tuple[int, int]] = {}
        names = {target.name: target.id for target in self.targets.values()}
        for row in self.runtime.servers():
            if row.backend in wanted and row.server in names:
                before = found.get(names[row.server], (0, 0))
                found[names[row.server]] = (before[0] + row.requests, before[1] + row.errors)
        return found

    def _move(self, target: _Target, row: Row) -> None:
        checked, other = self._named(target)
        before = target.health.state
        if before is State.INITIAL:
            target.health = targets.first(row.checked, row.failed, target.group.check.unhealthy)
            if target.health.state is State.INITIAL:
                return
            up = "up" if target.health.state is State.HEALTHY else "down"
            # From now on it is also among those that are asked when nobody is healthy.
            self.runtime.do(
                f"set server {checked} health {up}",
                f"set server {other} state ready",
                f"set server {checked} state ready",
            )
        elif row.status.startswith("UP"):
            target.health = targets.HEALTHY
        elif row.status.startswith("DOWN"):
            target.health = targets.unhealthy(row.checked)

    def _remove(self, target: _Target) -> None:
        for name in self._named(target):
            self.runtime.ask(f"shutdown sessions server {name}")
            self.runtime.do(f"set server {name} state maint")
            self._leaving.append(name)
        self._forget()

    def _forget(self) -> None:
        """Delete what was removed, as soon as haproxy lets it go.

        A connection to it may belong to a visitor's own, and last as long as that does; nothing is asked over it.
        """
        self._leaving = [name for name in self._leaving if "deleted" not in self.runtime.ask(f"del server {name}")]

    @staticmethod
    def _named(target: _Target) -> tuple[str, str]:
        group = target.group
        return (
            f"{configuration.backend(group)}/{target.name}",
            f"{configuration.fallback(group)}/{target.name}",
        )


class LoadBalancer:
    """All nodes of one load balancer.

    `scale` divides the interval between checks and the deregistration delay. `folder` holds its configuration, its
    sockets and its logs; nothing in there is a secret.
    """

    def __init__(
        self,
        balancer: Balancer,
        places: Sequence[Place],
        folder: Path,
        *,
        scale: float = 1.0,
        certificate: Path | None = None,
    ) -> None:
        if scale <= 0:
            raise LyceumError(f"A time scale must be greater than 0; got {scale}.")
        self.balancer = balancer
        self._scale = scale
        self._certificate = certificate
        self.nodes = [Node(balancer, place, folder, scale) for place in places]
        self._draining: dict[tuple[str, str], float] = {}  # group and target → until when
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""  # why the last look failed; "" when it did not

    def start(self) -> None:
        """Start every node. Raises LyceumError, with none left running, when one does not start."""
        try:
            for node in self.nodes:
                node.start(self._certificate)
        except LyceumError:
            self.stop()
            raise
        self._thread = threading.Thread(target=self._watch, name="load balancer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every node."""
        self._ended.set()
        if self._thread:
            self._thread.join(timeout=10)
        for node in self.nodes:
            node.stop()

    def __enter__(self) -> LoadBalancer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def group(self, arn: str) -> TargetGroup:
        if arn not in self.balancer.groups:
            raise LyceumError(f"No listener of {self.balancer.name} forwards to {arn}.")
        return self.balancer.groups[arn]

    def register(self, arn: str, target: str, address: str, port: int | None = None) -> None:
        """Sign a target in, on every node. One that drains begins anew; one that is there stays as it is."""
        group = self.group(arn)
        with self._lock:
            self._draining.pop((arn, target), None)
            for node in self._alive():
                node.register(group, target, address, port or group.port)

    def deregister(self, arn: str, target: str) -> None:
        """Sign it out: it gets no new request and is `draining` until the deregistration delay is over."""
        group = self.group(arn)
        with self._lock:
            if (arn, target) in self._draining:
                return
            for node in self._alive():
                node.drain(group, target)
            self._draining[arn, target] = time.monotonic() + group.deregistration_delay / self._scale

    def states(self, arn: str) -> dict[str, Health]:
        """The health of each target that is or was just registered, by its id."""
        with self._lock:
            found: dict[str, list[Health]] = {}
            for node in self._alive():
                for (group, target), each in node.targets.items():
                    if group == arn:
                        found.setdefault(target, []).append(each.health)
        return {target: targets.together(healths) for target, healths in found.items()}

    def counts(self, arn: str) -> dict[str, tuple[int, int]]:
        """By target, over all nodes: requests, and answers of 500 and more."""
        total: dict[str, tuple[int, int]] = {}
        with self._lock:
            for node in self._alive():
                for target, (requests, errors) in node.counts(self.group(arn)).items():
                    before = total.get(target, (0, 0))
                    total[target] = (before[0] + requests, before[1] + errors)
        return total

    def bad_answers(self) -> int:
        """Answers of 500 and more that clients got, over all nodes."""
        with self._lock:
            return sum(node.runtime.bad_answers() for node in self._alive())

    def _alive(self) -> list[Node]:
        return [node for node in self.nodes if node.running]

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            with self._lock:
                try:
                    for node in self._alive():
                        node.look()
                    for (arn, target), until in list(self._draining.items()):
                        if time.monotonic() >= until:
                            for node in self._alive():
                                node.remove(self.group(arn), target)
                            del self._draining[arn, target]
                    self.trouble = ""
                except (OSError, LyceumError) as error:
                    # A node that is being lost: the next look finds it gone.
                    self.trouble = f"{type(error).__name__}: {error}"
