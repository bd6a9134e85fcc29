"""Holds a topology against the list: every pair of hosts, every tier's ACL, every group, every route.

All 65,536 ports, and all IPv4 addresses that anybody can have, are tried, by classes: between two neighbouring borders
of any rule or expectation every port (address) meets the same rules, so that one of each class stands for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address

from lyceum_lab.proofs.network import expected
from lyceum_lab.proofs.network.topology import (
    ANY,
    PROTOCOL_NAMES,
    PROTOCOLS,
    WIDE_PORTS,
    WITH_PORTS,
    Acl,
    AclRule,
    Cidr,
    Group,
    GroupRule,
    Host,
    Route,
    Topology,
)
from lyceum_lab.proofs.network.verdict import first_match, lets, route_to, verdict

TCP = PROTOCOLS["tcp"]
NO_PORT = 0  # for protocols without any
# Stand-ins from the ranges that are kept for documents (RFC 5737) and for benchmarks (RFC 2544).
STRANGER = int(IPv4Address("198.51.100.7"))


@dataclass
class Tally:
    """How much was tried."""

    pairs: int = 0
    connections: int = 0  # pair × protocol × class of ports
    packets: int = 0  # ACL and direction × protocol × class of addresses × class of ports
    group_sides: int = 0  # group and direction × peer × protocol × class of ports


@dataclass(frozen=True)
class Model:
    """A topology, what was asked of it, and who is outside."""

    topology: Topology
    given: expected.Given
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def outsiders(self) -> tuple[Host, ...]:
        """`operator` from within the operators' ranges, `internet` from none of them: any other address."""
        operators = self.given.operators or ("203.0.113.0/24",)
        found = [Host("internet", STRANGER, ports=WIDE_PORTS)]
        for index, cidr in enumerate(operators):
            name = "operator" if index == 0 else f"operator-{index + 1}"
            found.append(
                Host(name, Cidr.of(cidr).first + 1 if "/32" not in cidr else Cidr.of(cidr).first, ports=WIDE_PORTS)
            )
        return tuple(found)

    @cached_property
    def visitors(self) -> set[str]:
        """Names of the outsiders that may come in."""
        return {one.role for one in self.outsiders if self.given.domain or one.role.startswith("operator")}

    @cached_property
    def inside(self) -> tuple[Host, ...]:
        return tuple(host for host in self.topology.hosts if not host.outside)

    @cached_property
    def services(self) -> tuple[Host, ...]:
        return tuple(host for host in self.topology.hosts if host.outside)

    @cached_property
    def wanted(self) -> dict[tuple[str, str], dict[int, expected.Connection]]:
        """What must pass, by the names of both ends and the port."""
        found: dict[tuple[str, str], dict[int, expected.Connection]] = {}
        for one in expected.connections(self.given):
            for source in self._named(one.source):
                for target in self._named(one.target):
                    found.setdefault((source, target), {})[one.port] = one
        return found

    def _named(self, name: str) -> Iterable[str]:
        if name == "visitors":
            return self.visitors
        return [one.role for one in self.outsiders] if name == "internet" else [name]

    @cached_property
    def pairs(self) -> tuple[tuple[Host, Host], ...]:
        """Everybody with everybody else, each with another of its own kind beside it; not the outside with itself."""
        everybody = (*self.inside, *self.outsiders, *self.services)
        return tuple(
            (source, target.twin() if source is target else target)
            for source in everybody
            for target in everybody
            if not (source.outside and target.outside)
        )

    @cached_property
    def ports(self) -> tuple[int, ...]:
        """One port of each class."""
        spans = [rule.ports for rule in self.topology.rules()]
        return classes((*spans, *((one.port, one.port) for one in expected.connections(self.given))), 65535)


def classes(spans: Iterable[tuple[int, int]], highest: int) -> tuple[int, ...]:
    """The first number of each class from 0 to `highest`: no span begins or ends within one."""
    borders = {0}
    for low, high in spans:
        borders |= {low, high + 1}
    return tuple(sorted(border for border in borders if border <= highest))


def protocols(rules: Iterable[AclRule | GroupRule]) -> tuple[int, ...]:
    """TCP, UDP, ICMP, one more without ports that stands for all others, and whatever else a rule names."""
    return tuple(sorted({*PROTOCOLS.values(), *(rule.protocol for rule in rules if rule.protocol != ANY)}))


def tried(ports: tuple[int, ...], protocol: int) -> tuple[int, ...]:
    return ports if protocol in WITH_PORTS else (NO_PORT,)


@dataclass(frozen=True)
class Finding:
    """What is not as the list says. `rule` is the label of the rule, or the list of rules, that is to blame."""

    text: str
    rule: str

    def __str__(self) -> str:
        return self.text


# ------------------------------------------------------------------------------------------------------------- pairs


def must_pass(model: Model) -> Iterator[Finding]:
    """Each connection on the list, between each pair of hosts that it means."""
    for (source, target), ports in model.wanted.items():
        for one, other in model.pairs:
            if (one.role, other.role) == (source, target):
                for port, connection in ports.items():
                    yield from _passes(model, one, other, port, connection)


def _passes(model: Model, source: Host, target: Host, port: int, wanted: expected.Connection) -> Iterator[Finding]:
    found = verdict(model.topology, source, target, TCP, port)
    what = f"{source.name} → {target.name} tcp {port} ({wanted.why})"
    if not found.passes:
        yield Finding(f"{what} does not pass: {found.deciding}", found.deciding.place)
    elif found.via != wanted.via:
        way = next(step for step in found.steps if isinstance(step.rule, Route))
        yield Finding(f"{what} goes by {found.via}, not by {wanted.via}: {way}", way.place)


def must_not_pass(model: Model, pairs: Iterable[tuple[Host, Host]] | None = None) -> Iterator[Finding]:
    """Everything else, between every pair (or these), on every port of every protocol."""
    numbers = protocols(model.topology.rules())
    for source, target in model.pairs if pairs is None else pairs:
        model.tally.pairs += 1
        wanted = model.wanted.get((source.role, target.role), {})
        for protocol in numbers:
            for port in tried(model.ports, protocol):
                model.tally.connections += 1
                if protocol == TCP and port in wanted:
                    continue
                found = verdict(model.topology, source, target, protocol, port)
                if found.passes:
                    yield Finding(
                        f"{source.name} → {target.name} {_what(protocol, port)} passes{_meaning(source, target)}: by "
                        + "; ".join(str(step.rule) for step in found.steps if hasattr(step.rule, "label")),
                        found.deciding.place,
                    )


def _meaning(source: Host, target: Host) -> str:
    for one in expected.NEVER:
        if _is(source, one.source) and _is(target, one.target):
            return f" ({one.why})"
    return ""


def _is(host: Host, name: str) -> bool:
    return name == "anyone" or host.role == name or (name == "outside" and host.outside)


# -------------------------------------------------------------------------------------------------------------- ACLs


def acls(model: Model) -> Iterator[Finding]:
    """What each tier's ACL lets through by itself, whatever groups and routes say."""
    for acl in _used(model.topology):
        for egress in (False, True):
            yield from acl_alone(model, acl, egress)


def acl_alone(model: Model, acl: Acl, egress: bool) -> Iterator[Finding]:
    """One direction of one ACL, for every address and every port."""
    tiers = sorted({subnet.tier for subnet in model.topology.subnets.values() if subnet.acl == acl.id})
    if len(tiers) != 1:
        yield Finding(f"{acl.list(egress)} serves {len(tiers)} tiers: {', '.join(tiers)}", acl.list(egress))
        return
    wanted = [one for one in expected.packets(model.given) if one.tier == tiers[0] and one.egress == egress]
    rules = [rule for rule in acl.rules if rule.egress == egress]
    ports = classes([*(rule.ports for rule in rules), *(one.ports for one in wanted)], 65535)
    for address, peers in _peers(model, [rule.cidr for rule in rules]):
        for protocol in protocols(rules):
            for port in tried(ports, protocol):
                model.tally.packets += 1
                rule = first_match(acl, egress, protocol, address, port)
                passes = rule is not None and rule.allow
                why = next((one.why for one in wanted if protocol == TCP and one.peer in peers
                            and one.ports[0] <= port <= one.ports[1]), "")  # fmt: skip
                if passes == bool(why):
                    continue
                whose = f"{'to' if egress else 'from'} {IPv4Address(address)} ({' or '.join(peers)})"
                what = f"{_what(protocol, port)} {whose}"
                if passes:
                    yield Finding(f"{what} passes by {rule}", rule.label if rule else "")
                else:
                    yield Finding(
                        f"{what} does not pass ({why}): {rule or f'{acl.list(egress)}: no rule'}", acl.list(egress)
                    )


def _peers(model: Model, cidrs: list[Cidr]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """One address of each class, and whose it is. Addresses of the VPC that no subnet holds are nobody's: left out."""
    topology = model.topology
    visitors = [Cidr.of(one) for one in model.given.operators or ("0.0.0.0/0",)]
    subnets = {subnet.cidr: subnet.tier for subnet in topology.subnets.values()}
    for address in classes([*cidrs, *visitors, *subnets, topology.cidr], 2**32 - 1):
        tier = next((tier for cidr, tier in subnets.items() if cidr.holds(address)), "")
        if tier:
            yield address, (tier,)
        elif not topology.cidr.holds(address):
            visits = any(cidr.holds(address) for cidr in visitors)
            yield address, ("outside", "visitors") if visits else ("outside",)


def _used(topology: Topology) -> list[Acl]:
    used = {subnet.acl for subnet in topology.subnets.values()}
    return [acl for acl in topology.acls.values() if acl.id in used]


# ------------------------------------------------------------------------------------------------------------ groups


def groups(model: Model) -> Iterator[Finding]:
    """What each role's group lets in and out by itself, whatever the other side, the ACLs and the routes say."""
    for group in model.topology.groups.values():
        for egress in (False, True):
            yield from group_alone(model, group, egress)


def group_alone(model: Model, group: Group, egress: bool) -> Iterator[Finding]:
    """One direction of one group, with every host and every class of addresses as peer, on every port."""
    role = group.name.removeprefix(f"{model.topology.name}-")
    rules = [rule for rule in group.rules if rule.egress == egress]
    asked = [(port, port) for ports in model.wanted.values() for port in ports]
    ports = classes([*(rule.ports for rule in rules), *asked], 65535)
    for peer in (*model.inside, *_addresses(model, [rule.cidr for rule in rules if rule.cidr]), *model.services):
        wanted = _wanted(model, role, peer, egress)
        for protocol in protocols(rules):
            for port in tried(ports, protocol):
                model.tally.group_sides += 1
                rule = lets(model.topology, frozenset({group.id}), egress, protocol, port, peer)
                why = wanted[port].why if protocol == TCP and port in wanted else ""
                if bool(rule) == bool(why):
                    continue
                what = f"{_what(protocol, port)} {'to' if egress else 'from'} {peer.name} ({IPv4Address(peer.address)})"
                if rule:
                    yield Finding(f"{what} passes by {rule}", rule.label)
                else:
                    yield Finding(f"{what} does not pass ({why}): {group.list(egress)}: no rule", group.list(egress))


def _wanted(model: Model, role: str, peer: Host, egress: bool) -> dict[int, expected.Connection]:
    if not peer.outside:
        # A group only allows: what may go anywhere on a port may, as far as its group goes, go inside too, and who
        # serves everybody serves everybody inside. There the other side's group and the deny in the ACL stop it, which
        # `must_not_pass` and `acls` hold them to.
        if egress:
            return {**_wanted_outside(model, role), **model.wanted.get((role, peer.role), {})}
        return {**model.wanted.get(("internet", role), {}), **model.wanted.get((peer.role, role), {})}
    if egress:
        return _wanted_outside(model, role)
    # To a group, AWS's services are addresses like any other outside.
    unnamed = peer.prefix_list or peer.role == "elsewhere"
    return model.wanted.get(("internet" if unnamed else peer.role, role), {})


def _wanted_outside(model: Model, role: str) -> dict[int, expected.Connection]:
    # Whoever needs only the gateways cannot but name everywhere: their addresses are AWS's, and change.
    return model.wanted.get((role, "internet")) or model.wanted.get((role, "s3"), {})


def _addresses(model: Model, cidrs: list[Cidr]) -> Iterator[Host]:
    """The outside: who has a name, and one address of each class."""
    visitors = [Cidr.of(one) for one in model.given.operators or ()]
    topology = model.topology
    yield from model.outsiders
    for address in classes([*cidrs, *visitors, topology.cidr], 2**32 - 1):
        if topology.cidr.holds(address):
            continue
        visits = any(cidr.holds(address) for cidr in visitors)
        yield Host("operator" if visits else "elsewhere", address, ports=WIDE_PORTS)


# ------------------------------------------------------------------------------------------------- routes and places


def routes(model: Model) -> Iterator[Finding]:
    """Which ways lead out of each subnet: those of its tier and no others; through NAT in its own zone where one is."""
    topology = model.topology
    targets = {"": model.outsiders[0], **{service.role: service for service in model.services}}
    nat_zones = {topology.subnets[nat.subnet].zone for nat in topology.nats.values() if nat.works}
    if model.given.nat == "per_zone" and nat_zones != {subnet.zone for subnet in topology.subnets.values()}:
        yield Finding(
            f"NAT gateways stand in {', '.join(sorted(nat_zones)) or 'no zone'}, and each zone needs its own", "NAT"
        )
    for subnet in topology.subnets.values():
        table = topology.tables[subnet.table]
        ways: set[str] = set()
        for service, target in targets.items():
            route = route_to(topology, subnet.id, target)
            if route is None:
                continue
            if route.kind != "gateway":
                ways.add(route.kind)
            else:
                ways.add(service)
            nat = topology.nats.get(route.target)
            if nat and subnet.zone in nat_zones and topology.subnets[nat.subnet].zone != subnet.zone:
                yield Finding(
                    f"{subnet.name} leaves by the NAT gateway {nat.name} of another zone", f"route table {table.name}"
                )
        wanted = set(expected.WAYS_OUT.get(subnet.tier, set()))
        if model.given.nat == "none":
            wanted.discard("nat")
        if ways != wanted:
            yield Finding(
                f"{subnet.name} leaves by {', '.join(sorted(ways)) or 'nothing'}; it should by "
                f"{', '.join(sorted(wanted)) or 'nothing'}",
                f"route table {table.name}",
            )  # fmt: skip


def places(model: Model) -> Iterator[Finding]:
    """Each role in its tier, in its own group and no other, without a public address unless it must have one."""
    topology = model.topology
    for subnet in topology.subnets.values():
        if subnet.tier not in expected.WAYS_OUT:
            yield Finding(f"subnet {subnet.name} is of no known tier", subnet.name)
    for host in model.inside:
        tier = topology.subnets[host.subnet].tier
        wanted = expected.TIERS.get(host.role)
        if tier != wanted:
            yield Finding(f"{host.name} stands in the {tier} tier, not in {wanted or 'any'}", host.name)
        named = sorted(topology.groups[one].name if one in topology.groups else one for one in host.groups)
        if named != [f"{topology.name}-{host.role}"]:
            yield Finding(f"{host.name} is in the groups {', '.join(named) or '(none)'}", host.name)
        if host.public != (host.role in expected.PUBLIC_ROLES):
            yield Finding(f"{host.name} has {'a' if host.public else 'no'} public address", host.name)
    for nat in topology.nats.values():
        if topology.subnets[nat.subnet].tier != "public":
            yield Finding(f"NAT gateway {nat.name} stands in {topology.subnets[nat.subnet].name}", nat.name)


def _what(protocol: int, port: int) -> str:
    name = PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")
    return f"{name} {port}" if protocol in WITH_PORTS else name
