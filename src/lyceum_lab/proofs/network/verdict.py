"""Whether a request passes and its reply comes back, decided as AWS documents it. Pure: a topology in, a verdict out.

- Routes: the longest prefix that matches; a prefix list is narrower than any route to everywhere.
- Network ACLs: at the border of a subnet, never within it; by number, the first match decides, none refuses. They keep
  no memory: the reply is a packet of its own, to the port from which the client asked, whichever it took.
- Security groups: at each host; what no rule lets pass is refused, and a reply needs none.
- A NAT gateway asks in its own name, from 1024-65535: what passes through it crosses its subnet's border four times.

ICMP is taken whole, without its types. Not modelled, because AWS does not filter it: DNS, DHCP, time and instance
metadata at the VPC's own addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address
from typing import NamedTuple

from lyceum_lab.proofs.network.topology import (
    ANY,
    PROTOCOL_NAMES,
    WIDE_PORTS,
    WITH_PORTS,
    Acl,
    AclRule,
    Cidr,
    GroupRule,
    Host,
    Nat,
    Route,
    Topology,
)

TRANSLATED = {1, 6, 17}  # what a NAT gateway translates: ICMP, TCP, UDP


class Step(NamedTuple):
    """One thing that a packet met: in which list (or place), and what decided there. `said` is for people."""

    way: str  # request or reply
    place: str
    rule: AclRule | GroupRule | Route | None
    passes: bool
    said: str = ""

    def __str__(self) -> str:
        what = self.said or (str(self.rule) if self.rule else f"{self.place}: no rule lets it pass")
        return f"{self.way}: {what}"


@dataclass(frozen=True)
class Verdict:
    """`steps` as far as it came. `via` is how it went: local, internet, nat, gateway, or empty for nowhere."""

    passes: bool
    via: str
    steps: tuple[Step, ...]

    @property
    def deciding(self) -> Step:
        """What stopped it; of a connection that passes, the last thing that could have."""
        return self.steps[-1]


class _Stopped(Exception):
    pass


class _Walk:
    """The steps of one packet's way; stops at the first refusal."""

    def __init__(self, topology: Topology, protocol: int) -> None:
        self.topology, self.protocol = topology, protocol
        self.steps: list[Step] = []
        self.way = "request"

    def note(self, place: str, passes: bool, said: str, rule: Route | None = None) -> None:
        self.steps.append(Step(self.way, place, rule, passes, said))
        if not passes:
            raise _Stopped

    def acl(self, subnet: str, egress: bool, address: int, ports: tuple[int, int]) -> None:
        """Each of these ports (of the one asked, of all that the client may have asked from) has to pass."""
        acl = self.topology.acls[self.topology.subnets[subnet].acl]
        rule, port = narrowest(acl, egress, self.protocol, address, *ports)
        if rule and rule.allow:
            self.steps.append(Step(self.way, rule.list, rule, passes=True))
            return
        packet = _packet(self.protocol, port, address, egress)
        by = f"rule {rule.number} denies" if rule else "no rule allows"
        place = acl.list(egress)
        self.steps.append(Step(self.way, place, rule, False, f"{place}: {by} {packet}"))
        raise _Stopped

    def group(self, host: Host, egress: bool, peer: Host, port: int) -> None:
        rule = lets(self.topology, host.groups, egress, self.protocol, port, peer)
        if rule:
            self.steps.append(Step(self.way, rule.list, rule, passes=True))
            return
        groups = [self.topology.groups[one].list(egress) for one in sorted(host.groups) if one in self.topology.groups]
        place = " and ".join(groups) or f"{host.name} without a security group"
        said = f"{place}: no rule lets {_packet(self.protocol, port, peer.address, egress)} ({peer.name}) pass"
        self.steps.append(Step(self.way, place, None, False, said))
        raise _Stopped


def verdict(topology: Topology, source: Host, target: Host, protocol: int, port: int) -> Verdict:
    """Whether `source` may open a connection to a port of `target`. Both outside: nothing of ours, it is refused."""
    walk, via = _Walk(topology, protocol), ""
    try:
        via = (_from_outside if source.outside else _from_inside)(walk, source, target, port)
    except _Stopped:
        return Verdict(False, via, tuple(walk.steps))
    return Verdict(True, via, tuple(walk.steps))


def _from_outside(walk: _Walk, source: Host, target: Host, port: int) -> str:
    if target.outside:
        walk.note("outside", False, f"{source.name} and {target.name} are both outside the VPC")
    if source.prefix_list:
        walk.note(source.name, False, f"{source.name} answers and opens no connections")
    if not target.public:
        walk.note(target.name, False, f"{target.name} has no public address")
    route, table = _routed(walk, target.subnet, source), _table(walk, target.subnet)
    if route.kind != "internet":
        walk.note(table, False, f"{table} leads the reply to {route.target}, not to the internet gateway", route)
    walk.acl(target.subnet, False, source.address, (port, port))
    walk.group(target, False, source, port)
    walk.way = "reply"
    walk.acl(target.subnet, True, source.address, source.ports)
    return "internet"


def _from_inside(walk: _Walk, source: Host, target: Host, port: int) -> str:
    walk.group(source, True, target, port)
    route = _routed(walk, source.subnet, target)
    match route.kind:
        case "local":
            _within(walk, source, target, port)
        case "internet":
            if not source.public:
                walk.note(source.name, False, f"{source.name} has no public address for the internet gateway")
            _out_and_back(walk, source, target, port)
        case "gateway":
            _out_and_back(walk, source, target, port)
        case "nat":
            _through_nat(walk, source, target, port, walk.topology.nats.get(route.target))
        case kind:
            table = _table(walk, source.subnet)
            walk.note(table, False, f"{table} leads to {route.target}, which is {kind}", route)
    return route.kind


def _within(walk: _Walk, source: Host, target: Host, port: int) -> None:
    if target.outside:
        walk.note(target.name, False, f"{target.name} is outside the VPC")
    crossing = source.subnet != target.subnet
    if crossing:
        walk.acl(source.subnet, True, target.address, (port, port))
        walk.acl(target.subnet, False, source.address, (port, port))
    walk.group(target, False, source, port)
    if crossing:
        walk.way = "reply"
        walk.acl(target.subnet, True, source.address, source.ports)
        walk.acl(source.subnet, False, target.address, source.ports)


def _out_and_back(walk: _Walk, source: Host, target: Host, port: int) -> None:
    walk.acl(source.subnet, True, target.address, (port, port))
    walk.way = "reply"
    walk.acl(source.subnet, False, target.address, source.ports)


def _through_nat(walk: _Walk, source: Host, target: Host, port: int, nat: Nat | None) -> None:
    if nat is None or not nat.works:
        name = nat.name if nat else "(gone)"
        walk.note("NAT gateway", False, f"the route leads to NAT gateway {name}, which does not work")
        return
    if walk.protocol not in TRANSLATED:
        walk.note(nat.name, False, f"NAT gateway {nat.name} translates TCP, UDP and ICMP only")
    crossing = nat.subnet != source.subnet
    walk.acl(source.subnet, True, target.address, (port, port))
    if crossing:
        walk.acl(nat.subnet, False, source.address, (port, port))
    onward, table = _routed(walk, nat.subnet, target), _table(walk, nat.subnet)
    if onward.kind != "internet":
        walk.note(table, False, f"{table} leads what leaves NAT gateway {nat.name} to {onward.target}", onward)
    walk.acl(nat.subnet, True, target.address, (port, port))
    walk.way = "reply"
    walk.acl(nat.subnet, False, target.address, WIDE_PORTS)
    if crossing:
        walk.acl(nat.subnet, True, source.address, source.ports)
        walk.acl(source.subnet, False, target.address, source.ports)


def barriers(topology: Topology, source: Host, target: Host, protocol: int, port: int) -> tuple[str, ...]:
    """The lists at both ends that would refuse the request by themselves: how many mistakes it is away from passing."""
    found = []
    for host, egress, peer in ((source, True, target), (target, False, source)):
        if host.outside:
            continue
        if source.subnet != target.subnet:
            acl = topology.acls[topology.subnets[host.subnet].acl]
            rule = first_match(acl, egress, protocol, peer.address, port)
            if rule is None or not rule.allow:
                found.append(str(rule or f"{acl.list(egress)} (no rule)"))
        if lets(topology, host.groups, egress, protocol, port, peer) is None:
            found += [topology.groups[one].list(egress) for one in sorted(host.groups) if one in topology.groups]
    return tuple(found)


# ------------------------------------------------------------------------------------------------------------ routes


def route_to(topology: Topology, subnet: str, target: Host) -> Route | None:
    """The route that a packet from this subnet takes, or None."""
    best: tuple[int, Route] | None = None
    for route in topology.tables[topology.subnets[subnet].table].routes:
        if isinstance(route.to, Cidr):
            width = route.to.last - route.to.first if route.to.holds(target.address) else None
        else:
            width = 0 if route.to == target.prefix_list else None
        if width is not None and (best is None or width < best[0]):
            best = (width, route)
    return best[1] if best else None


def _routed(walk: _Walk, subnet: str, target: Host) -> Route:
    route = route_to(walk.topology, subnet, target)
    place = _table(walk, subnet)
    if route is None:
        walk.note(place, False, f"{place} has no route to {target.name} ({IPv4Address(target.address)})")
        raise _Stopped
    walk.steps.append(Step(walk.way, place, route, True, f"{place} leads to {route.target}"))
    return route


def _table(walk: _Walk, subnet: str) -> str:
    return f"route table {walk.topology.tables[walk.topology.subnets[subnet].table].name}"


# ------------------------------------------------------------------------------------------------------------- lists


@lru_cache(maxsize=50_000)
def _relevant(acl: Acl, egress: bool, protocol: int, address: int) -> tuple[AclRule, ...]:
    return tuple(
        rule
        for rule in acl.rules
        if rule.egress == egress and rule.protocol in (ANY, protocol) and rule.cidr.holds(address)
    )


def first_match(acl: Acl, egress: bool, protocol: int, address: int, port: int) -> AclRule | None:
    """The rule that decides about a packet: to this port, from (egress: to) this address. None: the last, a deny."""
    for rule in _relevant(acl, egress, protocol, address):
        if protocol not in WITH_PORTS or rule.protocol == ANY or rule.ports[0] <= port <= rule.ports[1]:
            return rule
    return None


@lru_cache(maxsize=50_000)
def narrowest(acl: Acl, egress: bool, protocol: int, address: int, low: int, high: int) -> tuple[AclRule | None, int]:
    """What decides about the first port of a range that does not pass, and that port; if all pass, about the lowest."""
    borders = {low}
    for rule in _relevant(acl, egress, protocol, address):
        borders |= {border for border in (rule.ports[0], rule.ports[1] + 1) if low < border <= high}
    for port in sorted(borders):
        rule_ = first_match(acl, egress, protocol, address, port)
        if rule_ is None or not rule_.allow:
            return rule_, port
    return first_match(acl, egress, protocol, address, low), low


def lets(
    topology: Topology, groups: frozenset[str], egress: bool, protocol: int, port: int, peer: Host
) -> GroupRule | None:
    """A rule of these groups by which a packet passes, or None. A group reference means members, by any address."""
    for rule in _rules(topology, groups):
        if (
            rule.egress == egress
            and rule.protocol in (ANY, protocol)
            and (protocol not in WITH_PORTS or rule.protocol == ANY or rule.ports[0] <= port <= rule.ports[1])
            and (rule.peer in peer.groups if rule.peer else bool(rule.cidr and rule.cidr.holds(peer.address)))
        ):
            return rule
    return None


def _rules(topology: Topology, groups: frozenset[str]) -> Iterator[GroupRule]:
    for group in groups:
        if group in topology.groups:
            yield from topology.groups[group].rules


def _packet(protocol: int, port: int, address: int, egress: bool) -> str:
    name = PROTOCOL_NAMES.get(protocol, str(protocol))
    what = f"{name} {port}" if protocol in WITH_PORTS else name
    return f"{what} {'to' if egress else 'from'} {IPv4Address(address)}"
