"""The VPC: one router with a bridge per subnet, NAT and internet gateways, the internet, and whoever is attached.

    internet ──┬── internet gateway ── router ──┬── subnet ── load balancer, NAT gateway
    (visitors, │   (public ↔ private            ├── subnet ── servers
    AWS)       │    addresses, one to one)      ├── subnet ── database, files
               └──────── gateway endpoints ─────┴── subnet ── bastion, jobs

Within a subnet packets cross its bridge and meet no network ACL; between subnets they cross the router, which holds
the ACLs and a routing table for each subnet, as its route table says. A NAT gateway is a host that asks in its own
name: what passes it crosses the border of its subnet twice, as on AWS. Of the address ranges, all outside the VPC are
those kept for documents and benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from lyceum_lab.cloud.network import filters, namespaces
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.proofs.network.topology import Cidr, Host, Nat, Route, Subnet, Topology
from lyceum_ops.errors import LyceumError

# What AWS calls the VPC's own services, at the addresses that every VPC has.
METADATA, RESOLVER = "169.254.169.254", "169.254.169.253"
# The public addresses of what is in the VPC (RFC 5737), and AWS's own services (RFC 2544).
PUBLIC = IPv4Network("192.0.2.0/24")
SERVICES = {"s3": "198.18.0.1", "dynamodb": "198.18.1.1", "aws": "198.18.2.1"}
AWS_RANGE = "198.18.0.0/15"
# Links between router, internet gateway and internet (RFC 6598).
ROUTER_SIDE, GATEWAY_IN, GATEWAY_OUT, INTERNET_SIDE = "100.64.0.1", "100.64.0.2", "100.64.1.1", "100.64.1.2"
ENDPOINT_ROUTER, ENDPOINT_AWS = "100.64.2.1", "100.64.2.2"
NAT_OFFSET = 5  # AWS keeps the first four addresses of a subnet; hosts begin at ten
NAT_PORTS = "1024-65535"
FORWARDS = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
TABLES = 100  # number of the first routing table of a subnet


@dataclass(frozen=True)
class Attached:
    """A host in the VPC, and the network that it is in."""

    host: Host
    namespace: Namespace

    @property
    def address(self) -> str:
        return str(IPv4Address(self.host.address))


@dataclass
class Vpc:
    """Made by `build`; `attach` and `detach` change who is there."""

    topology: Topology
    key: str
    outsiders: dict[str, str]  # who else is on the internet, with their addresses
    bridges: dict[str, str] = field(default_factory=dict)
    attached: dict[str, Attached] = field(default_factory=dict)
    public: dict[str, str] = field(default_factory=dict)  # private → public address
    _links: int = 0

    @property
    def router(self) -> Namespace:
        return Namespace(f"{self.key}router")

    @property
    def gateway(self) -> Namespace:
        return Namespace(f"{self.key}igw")

    @property
    def internet(self) -> Namespace:
        return Namespace(f"{self.key}internet")

    # --------------------------------------------------------------------------------------------------------- to build

    def build(self) -> None:
        """Make everything but the hosts. Raises CommandFailed; LyceumError when something of its name is there."""
        if there := namespaces.left(self.key):
            raise LyceumError(f"There are namespaces of another run: {', '.join(there[:3])}.",
                              "End that run, or clean up with ./lyceum down.")  # fmt: skip
        namespaces.create([self.router.name, self.gateway.name, self.internet.name])
        for one in (self.router, self.gateway, self.internet):
            one.set(*FORWARDS, "net.ipv4.conf.default.rp_filter=0")
        # What crosses a bridge stays within its subnet, where no network ACL is asked.
        if Path("/proc/sys/net/bridge").exists():
            self.router.set("net.bridge.bridge-nf-call-iptables=0")
        self._build_router()
        self._build_outside()
        for nat in self.topology.nats.values():
            if nat.works:
                self._build_nat(nat)
        self._route()
        self.load(self.topology)

    def _build_router(self) -> None:
        lines = [f"addr add {METADATA}/32 dev lo", f"addr add {RESOLVER}/32 dev lo"]
        for number, subnet in enumerate(self.topology.subnets.values()):
            bridge = self.bridges[subnet.id] = f"subnet{number}"
            lines += [
                f"link add {bridge} type bridge",
                f"addr add {_gateway(subnet)}/{_width(subnet.cidr)} dev {bridge}",
                f"link set {bridge} up",
            ]
        self.router.ip(*lines)

    def _build_outside(self) -> None:
        namespaces.ip(
            f"link add igw netns {self.router.name} type veth peer name vpc netns {self.gateway.name}",
            f"link add internet netns {self.gateway.name} type veth peer name igw netns {self.internet.name}",
            f"link add endpoints netns {self.router.name} type veth peer name endpoints netns {self.internet.name}",
        )
        vpc = str(self.topology.cidr)
        # AWS's services answer and open no connections; a gateway endpoint brings nothing else.
        self.router.nft(
            "table ip endpoints { chain forward { type filter hook forward priority -10; policy accept;\n"
            "  iifname endpoints tcp flags & (syn | ack) == syn drop\n  iifname endpoints tcp sport != 443 drop\n"
            "  iifname endpoints meta l4proto != tcp drop\n}; }\n"
        )
        self.router.ip(
            f"addr add {ROUTER_SIDE}/30 dev igw", "link set igw up",
            f"addr add {ENDPOINT_ROUTER}/30 dev endpoints", "link set endpoints up",
        )  # fmt: skip
        self.gateway.ip(
            f"addr add {GATEWAY_IN}/30 dev vpc", "link set vpc up",
            f"addr add {GATEWAY_OUT}/30 dev internet", "link set internet up",
            f"route add {vpc} via {ROUTER_SIDE}", f"route add default via {INTERNET_SIDE}",
        )  # fmt: skip
        self.internet.nft(
            "table ip services { chain output { type filter hook output priority 0; policy accept;\n"
            f"  ip saddr {AWS_RANGE} tcp flags & (syn | ack) == syn drop\n  ip saddr {AWS_RANGE} udp sport != 53 drop\n"
            "}; }\n"
        )
        here = [*SERVICES.values(), *self.outsiders.values()]
        self.internet.ip(
            f"addr add {INTERNET_SIDE}/30 dev igw", "link set igw up",
            f"addr add {ENDPOINT_AWS}/30 dev endpoints", "link set endpoints up",
            *(f"addr add {address}/32 dev lo" for address in here),
            f"route add {PUBLIC} via {GATEWAY_OUT}",
            # Only AWS's own services answer into the VPC by a gateway endpoint; to everybody else it is unknown.
            f"rule add from {AWS_RANGE} lookup {TABLES}", f"route add {vpc} via {ENDPOINT_ROUTER} table {TABLES}",
        )  # fmt: skip

    def _build_nat(self, nat: Nat) -> None:
        subnet = self.topology.subnets[nat.subnet]
        address = subnet.cidr.first + NAT_OFFSET
        namespace = Namespace(f"{self.key}{nat.id}")
        namespaces.create([namespace.name])
        self._connect(namespace, subnet, address)
        namespace.set(*FORWARDS, *(f"net.ipv4.conf.{one}=0" for one in (
            "eth0.rp_filter", "all.send_redirects", "eth0.send_redirects")))  # fmt: skip
        namespace.nft(
            "table ip nat {\n"
            "  chain input { type filter hook input priority 0; policy drop; ct state established,related accept; }\n"
            "  chain forward { type filter hook forward priority 0; policy drop;\n"
            f"    ct state established,related accept\n    ip saddr {self.topology.cidr} accept\n  }}\n"
            "  chain postrouting { type nat hook postrouting priority 100;\n"
            f"    ip saddr {self.topology.cidr} meta l4proto {{ tcp, udp }} masquerade to :{NAT_PORTS}\n"
            f"    ip saddr {self.topology.cidr} masquerade\n  }}\n}}\n"
        )
        self._publish(address)

    def _route(self) -> None:
        """A routing table for each subnet, as its route table says; what nothing routes is dropped."""
        lines = []
        for number, subnet in enumerate(self.topology.subnets.values(), start=TABLES):
            lines.append(f"rule add iif {self.bridges[subnet.id]} lookup {number} priority {number}")
            lines.append(f"route add blackhole default metric 9999 table {number}")
            table = self.topology.tables.get(subnet.table)
            for route in table.routes if table else ():
                lines += [f"route replace {way} table {number}" for way in self._ways(route)]
        self.router.ip(*lines)

    def _ways(self, route: Route) -> Iterable[str]:
        match route.kind:
            case "local":
                for subnet in self.topology.subnets.values():
                    yield f"{subnet.cidr} dev {self.bridges[subnet.id]}"
            case "internet":
                yield f"{route.to} via {GATEWAY_IN} dev igw"
            case "nat":
                nat = self.topology.nats.get(route.target)
                if nat and nat.works:
                    subnet = self.topology.subnets[nat.subnet]
                    address = IPv4Address(subnet.cidr.first + NAT_OFFSET)
                    yield f"{route.to} via {address} dev {self.bridges[subnet.id]}"
            case "gateway":
                for host in self.topology.hosts:
                    if host.prefix_list and host.prefix_list == route.to:
                        yield f"{IPv4Address(host.address)}/32 via {ENDPOINT_AWS} dev endpoints"

    # ----------------------------------------------------------------------------------------------------- who is there

    def attach(self, name: str, host: Host) -> Attached:
        """Put a host where it says it is, behind the filter of its groups. Raises LyceumError if its name is taken."""
        if name in self.attached:
            raise LyceumError(f"There is a host named {name} already.")
        namespace = Namespace(f"{self.key}{name}")
        namespaces.create([namespace.name])
        self._connect(namespace, self.topology.subnets[host.subnet], host.address)
        namespace.set(f"net.ipv4.ip_local_port_range={host.ports[0]} {host.ports[1]}")
        self.attached[name] = Attached(host, namespace)
        if host.public:
            self._publish(host.address)
        self._filter(name)
        self._tell_members(host.groups, but=name)
        return self.attached[name]

    def link(self, one: Namespace, other: Namespace, device: str, between: IPv4Network) -> tuple[str, str]:
        """Join two hosts by a way that is AWS's own: link-local, which neither ACLs nor groups are asked about."""
        first, second = (str(address) for address in between.hosts())
        namespaces.ip(f"link add {device} netns {one.name} type veth peer name {device} netns {other.name}")
        for namespace, address in ((one, first), (other, second)):
            namespace.ip(f"addr add {address}/{between.prefixlen} dev {device}", f"link set {device} up")
        return first, second

    def detach(self, name: str) -> None:
        """Take a host away. What still runs in its namespace has to be ended first."""
        gone = self.attached.pop(name)
        namespaces.remove([gone.namespace.name])
        self.public.pop(gone.address, None)
        self._tell_members(gone.host.groups)
        self._translate()

    def _connect(self, namespace: Namespace, subnet: Subnet, address: int) -> None:
        self._links += 1
        link = f"host{self._links}"
        namespaces.ip(f"link add {link} netns {self.router.name} type veth peer name eth0 netns {namespace.name}")
        self.router.ip(f"link set {link} master {self.bridges[subnet.id]}", f"link set {link} up")
        namespace.ip(
            f"addr add {IPv4Address(address)}/{_width(subnet.cidr)} dev eth0",
            "link set eth0 up",
            f"route add default via {_gateway(subnet)}",
        )

    def _publish(self, address: int) -> None:
        taken = set(self.public.values())
        free = next(str(one) for one in PUBLIC.hosts() if str(one) not in taken)
        self.public[str(IPv4Address(address))] = free
        self._translate()

    def _translate(self) -> None:
        """The internet gateway: each public address is one private address, and nobody else leaves or enters."""
        inward = ", ".join(f"{public} : {private}" for private, public in self.public.items())
        outward = ", ".join(f"{private} : {public}" for private, public in self.public.items())
        table = "table ip gateway\ndelete table ip gateway\n"
        if inward:
            table += (
                "table ip gateway {\n"
                f"  chain in {{ type nat hook prerouting priority -100; dnat to ip daddr map {{ {inward} }}; }}\n"
                "  chain out { type nat hook postrouting priority 100; oif internet snat to ip saddr map { "
                f"{outward} }}; }}\n"
                "  chain forward { type filter hook forward priority 0; policy drop;\n"
                "    ct status dnat accept\n    ct state established,related accept\n"
                f"    iif vpc ip saddr {{ {', '.join(self.public)} }} accept\n  }}\n}}\n"
            )
        else:
            table += "table ip gateway { chain forward { type filter hook forward priority 0; policy drop; }; }\n"
        self.gateway.nft(table)

    # ---------------------------------------------------------------------------------------------------------- filters

    def load(self, topology: Topology) -> None:
        """Hold this topology's rules from now on: its ACLs in the router, its groups at each host.

        Subnets, routes and hosts stay as they were built.
        """
        old, self.topology = self.topology, topology
        if old is topology or old.acls != topology.acls:
            self.router.nft(filters.acls(topology, self.bridges))
        for name, one in self.attached.items():
            if old is topology or any(old.groups.get(id_) is not topology.groups.get(id_) for id_ in one.host.groups):
                self._filter(name)

    def _filter(self, name: str) -> None:
        one = self.attached[name]
        one.namespace.nft(filters.groups(self.topology, one.host.groups, self._members()))

    def _members(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for one in self.attached.values():
            for group in one.host.groups:
                found.setdefault(group, []).append(one.host.address)
        return found

    def _tell_members(self, changed: Iterable[str], but: str = "") -> None:
        """Bring everybody whose rules name one of these groups up to date."""
        now, moved = self._members(), set(changed)
        for name, one in self.attached.items():
            rules = (rule for id_ in one.host.groups for rule in self.topology.groups[id_].rules)
            peers = {rule.peer for rule in rules if rule.peer} & moved
            if name != but and peers:
                one.namespace.nft("".join(filters.members(peer, now.get(peer, [])) for peer in sorted(peers)))


def clean(key: str) -> int:
    """Remove what a VPC of this key left. Returns the number of namespaces."""
    there = namespaces.left(key)
    namespaces.remove(there)
    return len(there)


def placed(host: Host, subnet: Subnet, address: int) -> Host:
    """The same kind of host at another place."""
    return replace(host, subnet=subnet.id, zone=subnet.zone, address=address)


def _gateway(subnet: Subnet) -> IPv4Address:
    return IPv4Address(subnet.cidr.first + 1)


def _width(cidr: Cidr) -> int:
    return 32 - (cidr.last - cidr.first).bit_length()
