"""The network as AWS's API describes it, in plain values that know how to name themselves. IPv4 only, as the VPC is.

Lists that are changed in a trial (an ACL, a group) are replaced, never edited: they are told apart by identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

ANY = -1  # AWS's number for "every protocol"
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50}
PROTOCOL_NAMES = {number: name for name, number in PROTOCOLS.items()} | {ANY: "all"}
WITH_PORTS = {6, 17}
ALL_PORTS = (0, 65535)
# The range from which a client takes its side of a connection (AWS, "Ephemeral ports"; net.ipv4.ip_local_port_range).
LINUX_PORTS = (32768, 60999)
WIDE_PORTS = (1024, 65535)  # load balancers, NAT gateways, and whatever a learner uses


class Cidr(NamedTuple):
    """A range of IPv4 addresses, as numbers, both ends included."""

    first: int
    last: int

    @classmethod
    def of(cls, text: str) -> Cidr:
        """Raises ValueError for what is no range."""
        network = IPv4Network(text)
        return cls(int(network.network_address), int(network.broadcast_address))

    def holds(self, address: int) -> bool:
        return self.first <= address <= self.last

    def __str__(self) -> str:
        return f"{IPv4Address(self.first)}/{32 - (self.last - self.first).bit_length()}"


EVERYWHERE = Cidr.of("0.0.0.0/0")


def _what(protocol: int, ports: tuple[int, int]) -> str:
    name = PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")
    if protocol not in WITH_PORTS:
        return name
    return f"{name} {ports[0]}" if ports[0] == ports[1] else f"{name} {ports[0]}-{ports[1]}"


@dataclass(frozen=True, eq=False)
class AclRule:
    """One rule of a network ACL. `ports` are destination ports; they mean nothing to a protocol without any."""

    acl: str
    egress: bool
    number: int
    allow: bool
    protocol: int
    cidr: Cidr
    ports: tuple[int, int] = ALL_PORTS

    @property
    def list(self) -> str:
        return f"network ACL {self.acl}, {'out' if self.egress else 'in'}"

    @property
    def label(self) -> str:
        return f"{self.list}, rule {self.number}"

    def __str__(self) -> str:
        verb, where = "allow" if self.allow else "deny", "to" if self.egress else "from"
        return f"{self.label} ({verb} {_what(self.protocol, self.ports)} {where} {self.cidr})"


@dataclass(frozen=True, eq=False)
class Acl:
    """A network ACL: its rules in the order of their numbers. What none of them matches is refused."""

    id: str
    name: str
    rules: tuple[AclRule, ...]

    def list(self, egress: bool) -> str:
        return f"network ACL {self.name}, {'out' if egress else 'in'}"


@dataclass(frozen=True, eq=False)
class GroupRule:
    """One rule of a security group: it lets pass what goes to (comes from) a range, or members of a group."""

    id: str
    group: str
    egress: bool
    protocol: int
    ports: tuple[int, int]
    cidr: Cidr | None = None
    peer: str = ""  # another group's id
    peer_name: str = ""

    @property
    def list(self) -> str:
        return f"security group {self.group}, {'out' if self.egress else 'in'}"

    @property
    def label(self) -> str:
        return f"{self.list}, rule {self.id}"

    def __str__(self) -> str:
        where = "to" if self.egress else "from"
        return f"{self.label} ({_what(self.protocol, self.ports)} {where} {self.cidr or self.peer_name})"


@dataclass(frozen=True, eq=False)
class Group:
    """A security group, and its rules in no order: it can only allow."""

    id: str
    name: str
    rules: tuple[GroupRule, ...]

    def list(self, egress: bool) -> str:
        return f"security group {self.name}, {'out' if egress else 'in'}"


class Route(NamedTuple):
    """`to` is a range, or the id of a prefix list. `kind`: local, internet, nat, gateway, blackhole or unknown."""

    to: Cidr | str
    kind: str
    target: str


@dataclass(frozen=True, eq=False)
class RouteTable:
    """The routes of the subnets that are associated with it."""

    id: str
    name: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Subnet:
    """A subnet, with the ids of its ACL and its route table."""

    id: str
    name: str
    tier: str
    zone: str
    cidr: Cidr
    acl: str
    table: str


@dataclass(frozen=True)
class Nat:
    """A NAT gateway and the subnet in which it stands."""

    id: str
    name: str
    subnet: str
    works: bool


@dataclass(frozen=True)
class Host:
    """Something with an address: of a role, in a zone. One without a subnet is outside the VPC.

    `prefix_list` is set for one of AWS's services that routes know by the list of its addresses.
    """

    role: str
    address: int
    zone: str = ""
    subnet: str = ""
    groups: frozenset[str] = frozenset()
    public: bool = False
    ports: tuple[int, int] = LINUX_PORTS
    prefix_list: str = ""

    @property
    def outside(self) -> bool:
        return not self.subnet

    @property
    def name(self) -> str:
        return f"{self.role}@{self.zone}" if self.zone else self.role

    def twin(self) -> Host:
        """Another one of its kind, beside it."""
        return replace(self, address=self.address + 1)


@dataclass(frozen=True, eq=False)
class Topology:
    """A VPC. `strange` names what was found in it and is not understood; `assumed` what is not there yet."""

    name: str
    cidr: Cidr
    subnets: dict[str, Subnet]
    tables: dict[str, RouteTable]
    acls: dict[str, Acl]
    groups: dict[str, Group]
    nats: dict[str, Nat]
    hosts: tuple[Host, ...]
    strange: tuple[str, ...] = ()
    assumed: tuple[str, ...] = field(default=())

    def rules(self) -> Iterator[AclRule | GroupRule]:
        """Every rule that can be taken away: of the ACLs in use, and of the groups."""
        used = {subnet.acl for subnet in self.subnets.values()}
        for acl in self.acls.values():
            if acl.id in used:
                yield from acl.rules
        for group in self.groups.values():
            yield from group.rules

    def changed(self, old: AclRule | GroupRule, new: AclRule | GroupRule | None) -> Topology:
        """The same with one rule in another's place, or (None) without it. Raises KeyError when it is in no list."""
        if isinstance(old, AclRule):
            for acl in self.acls.values():
                if old in acl.rules:
                    kept = tuple(new if one is old else one for one in acl.rules if one is not old or new)
                    return replace(self, acls={**self.acls, acl.id: replace(acl, rules=kept)})  # type: ignore[arg-type]
        for group in self.groups.values():
            if old in group.rules:
                left = tuple(new if one is old else one for one in group.rules if one is not old or new)
                return replace(self, groups={**self.groups, group.id: replace(group, rules=left)})  # type: ignore[arg-type]
        raise KeyError(str(old))
