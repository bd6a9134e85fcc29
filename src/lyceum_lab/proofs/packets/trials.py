"""What is tried: every pair of hosts on every port of the flows and a sample of others; and each rule taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from lyceum_lab.cloud.network import namespaces
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.network.vpc import Vpc, clean
from lyceum_lab.proofs.network import expected
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.removals import justified
from lyceum_lab.proofs.network.topology import AclRule, GroupRule, Host, Topology
from lyceum_lab.proofs.network.verdict import Verdict, verdict
from lyceum_lab.proofs.packets import probes
from lyceum_lab.proofs.packets.probes import TCP, UDP, Probe
from lyceum_lab.proofs.packets.worlds import acl_alone

# What an intruder tries first, and one port each of: below all ranges of clients, in Linux's, above it.
SAMPLE = (22, 53, 123, 1023, 3306, 3389, 6379, 40000, 61001)


@dataclass
class Scene:
    """A network with everybody in it, and the probes that ask in it."""

    model: Model
    vpc: Vpc
    places: dict[tuple[str, int], tuple[Namespace, str]] = field(default_factory=dict)
    _asked: int = 0

    @property
    def topology(self) -> Topology:
        return self.model.topology

    def ports(self) -> tuple[int, ...]:
        return tuple(sorted({one.port for one in expected.connections(self.model.given)} | set(SAMPLE)))

    def fresh(self, source: Host) -> tuple[int, ...]:
        """A port that this host has not asked from yet: groups remember who spoke from the others."""
        self._asked += 1
        return (source.ports[0] + self._asked,)

    def probe(
        self, source: Host, target: Host, protocol: int, port: int, ports: tuple[int, ...] | None = None
    ) -> Probe:
        """Out of both ends of the source's own range of ports, or out of these."""
        namespace, address = self.places[source.role, source.address]
        _, to = self.places[target.role, target.address]
        # From outside only a public address leads anywhere; a private one is tried where there is none.
        to = self.vpc.public.get(to, to) if source.outside else to
        return Probe(namespace, address, ports or source.ports, to, protocol, port)


@contextmanager
def scene(model: Model, folder: Path) -> Iterator[Scene]:
    """Build the model's network with every host and another of its kind beside it; all of it is gone afterwards."""
    outsiders = {one.name: str(IPv4Address(one.address)) for one in model.outsiders}
    vpc = Vpc(model.topology, namespaces.key(folder), outsiders)
    clean(vpc.key)
    try:
        vpc.build()
        found = Scene(model, vpc)
        for host in model.inside:
            for one, name in ((host, host.name), (host.twin(), f"{host.name}-twin")):
                attached = vpc.attach(name.replace("@", "-"), one)
                found.places[one.role, one.address] = (attached.namespace, str(IPv4Address(one.address)))
        for host in (*model.outsiders, *model.services):
            found.places[host.role, host.address] = (vpc.internet, str(IPv4Address(host.address)))
        addresses: dict[Namespace, list[str]] = {}
        for namespace, address in found.places.values():
            addresses.setdefault(namespace, []).append(address)
        with probes.listening(addresses, found.ports()):
            yield found
    finally:
        clean(vpc.key)


@dataclass(frozen=True)
class Tried:
    """One connection: what the model decided, and whether packets passed."""

    source: Host
    target: Host
    protocol: int
    port: int
    decided: Verdict
    passed: bool

    @property
    def differs(self) -> bool:
        return self.decided.passes != self.passed

    def __str__(self) -> str:
        name = "tcp" if self.protocol == TCP else "udp"
        says = "passes" if self.passed else "is dropped"
        return (
            f"{self.source.name} → {self.target.name} {name} {self.port} {says}, and the model "
            f"{'lets it pass' if self.decided.passes else f'refuses it: {self.decided.deciding}'}"
        )


def everything(there: Scene) -> list[Tried]:
    """Every pair, TCP and UDP, on every port."""
    wanted = [
        (source, target, protocol, port, verdict(there.topology, source, target, protocol, port))
        for source, target in there.model.pairs
        for protocol in (TCP, UDP)
        for port in there.ports()
    ]
    # Those that should pass come together, so that a batch of them need not wait for silence.
    wanted.sort(key=lambda one: not one[4].passes)
    passed = probes.run([there.probe(*one[:4]) for one in wanted])
    tried = [Tried(*one, came) for one, came in zip(wanted, passed, strict=True)]
    doubtful = [one for one in tried if one.differs]
    again = probes.run(
        [there.probe(one.source, one.target, one.protocol, one.port) for one in doubtful[:200]], patience=2.0
    )
    for one, came in zip(doubtful[:200], again, strict=True):
        tried[tried.index(one)] = Tried(one.source, one.target, one.protocol, one.port, one.decided, came)
    return tried


@dataclass(frozen=True)
class Removal:
    """A rule that was taken away: which connection told of it, as the model names it; nothing, if none did."""

    rule: AclRule | GroupRule
    noticed: str
    named: bool
    justified: str

    @property
    def faulty(self) -> bool:
        return (bool(self.noticed) and self.named) == bool(self.justified)

    def __str__(self) -> str:
        return f"{self.rule}, removed: {self.noticed or 'no probe notices'}"


def remove_allows(there: Scene) -> Iterator[Removal]:
    """Each rule that allows, away in turn: a connection that must pass has to stop."""
    through: dict[int, list[tuple[Host, Host, int]]] = {}
    for source, target in there.model.pairs:
        for port in there.model.wanted.get((source.role, target.role), {}):
            for step in verdict(there.topology, source, target, TCP, port).steps:
                if isinstance(step.rule, AclRule | GroupRule):
                    through.setdefault(id(step.rule), []).append((source, target, port))
    for rule in there.topology.rules():
        if isinstance(rule, GroupRule) or rule.allow:
            yield _removal(there, rule, through.get(id(rule), []), before=there.topology, passes=False)


def remove_denies(there: Scene) -> Iterator[Removal]:
    """Each rule that denies, away in turn, where its list is alone: something has to pass that did not."""
    for rule in there.topology.rules():
        if isinstance(rule, AclRule) and not rule.allow:
            before = acl_alone(there.topology, rule)
            without = before.changed(rule, None)
            opened = [
                (source, target, port)
                for source, target in there.model.pairs
                for port in there.ports()
                if verdict(without, source, target, TCP, port).passes
                and not verdict(before, source, target, TCP, port).passes
            ]
            yield _removal(there, rule, opened, before=before, passes=True)


def _removal(
    there: Scene,
    rule: AclRule | GroupRule,
    candidates: Sequence[tuple[Host, Host, int]],
    *,
    before: Topology,
    passes: bool,
) -> Removal:
    reason = justified("removed", there.model, rule)
    if not candidates:
        return Removal(rule, "", False, reason)
    source, target, port = candidates[0]
    without = before.changed(rule, None)
    there.vpc.load(without)
    try:
        passed = _passes(there, source, target, port, hurried=not passes)
    finally:
        there.vpc.load(before)
    # With the rule in its place again it has to be as before: a machine too busy to answer proves nothing.
    if passed != passes or _passes(there, source, target, port, hurried=passes) == passes:
        return Removal(rule, "", False, reason)
    what = f"{source.name} → {target.name} tcp {port}"
    if passes:
        return Removal(rule, f"{what} passes without it", True, reason)
    decided = verdict(without, source, target, TCP, port).deciding
    return Removal(rule, f"{what} stops: {decided}", rule.list in str(decided) or rule.list in decided.place, reason)


def _passes(there: Scene, source: Host, target: Host, port: int, *, hurried: bool) -> bool:
    """Whether a new connection passes; `hurried` when silence is what is expected, and not worth a second try."""
    probe = there.probe(source, target, TCP, port, there.fresh(source))
    return probes.run([probe], patience=probes.PATIENCE if hurried else 2.0)[0]
