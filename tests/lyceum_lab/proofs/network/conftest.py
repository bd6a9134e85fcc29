"""Networks built by hand: a small one for verdicts, and all of development for the list."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.expected import ENVIRONMENTS
from lyceum_lab.proofs.network.topology import (
    ALL_PORTS,
    ANY,
    LINUX_PORTS,
    PROTOCOLS,
    WIDE_PORTS,
    Acl,
    AclRule,
    Cidr,
    Group,
    GroupRule,
    Host,
    Nat,
    Route,
    RouteTable,
    Subnet,
    Topology,
)

# As in AWS's console: direction, number, what to do, protocol, ports, range.
DEVELOPMENT = {
    "public": """
        in  100 allow tcp 1024-65535  10.20.16.0/20
        in  110 allow tcp 443         10.20.16.0/20
        in  120 allow tcp 443         10.20.48.0/20
        in  500 deny  all -           10.20.0.0/16
        in  600 allow tcp 80          203.0.113.0/24
        in  610 allow tcp 1024-65535  0.0.0.0/0
        out 100 allow tcp 8000        10.20.16.0/20
        out 110 allow tcp 32768-60999 10.20.16.0/20
        out 120 allow tcp 32768-60999 10.20.48.0/20
        out 500 deny  all -           10.20.0.0/16
        out 600 allow tcp 1024-65535  203.0.113.0/24
        out 610 allow tcp 443         0.0.0.0/0
    """,
    "app": """
        in  100 allow tcp 8000        10.20.0.0/20
        in  110 allow tcp 32768-60999 10.20.32.0/20
        in  500 deny  all -           10.20.0.0/16
        in  600 allow tcp 32768-60999 0.0.0.0/0
        out 100 allow tcp 1024-65535  10.20.0.0/20
        out 110 allow tcp 5432        10.20.32.0/20
        out 120 allow tcp 2049        10.20.32.0/20
        out 500 deny  all -           10.20.0.0/16
        out 600 allow tcp 443         0.0.0.0/0
    """,
    "data": """
        in  100 allow tcp 5432        10.20.16.0/20
        in  110 allow tcp 2049        10.20.16.0/20
        in  120 allow tcp 5432        10.20.48.0/20
        in  500 deny  all -           10.20.0.0/16
        out 100 allow tcp 32768-60999 10.20.16.0/20
        out 110 allow tcp 32768-60999 10.20.48.0/20
        out 500 deny  all -           10.20.0.0/16
    """,
    "management": """
        in  100 allow tcp 32768-60999 10.20.32.0/20
        in  500 deny  all -           10.20.0.0/16
        in  600 allow tcp 32768-60999 0.0.0.0/0
        out 100 allow tcp 5432        10.20.32.0/20
        out 500 deny  all -           10.20.0.0/16
        out 600 allow tcp 443         0.0.0.0/0
    """,
}
# Direction, port, peer: a range, or another group.
GROUPS = {
    "load-balancer": "in 80 203.0.113.0/24, out 8000 server",
    "server": "in 8000 load-balancer, out 5432 database, out 2049 files, out 443 0.0.0.0/0",
    "database": "in 5432 server, in 5432 bastion, in 5432 jobs",
    "files": "in 2049 server",
    "bastion": "out 5432 database, out 443 0.0.0.0/0",
    "jobs": "out 5432 database, out 443 0.0.0.0/0",
}
TIERS = {"public": 0, "app": 16, "data": 32, "management": 48}
HOSTS = {
    "load-balancer": "public", "server": "app", "database": "data", "files": "data", "bastion": "management",
    "jobs": "management",
}  # fmt: skip


def acl(name: str, text: str) -> Acl:
    """An ACL from lines as in `DEVELOPMENT`, in the order of their numbers."""
    rules = []
    for line in text.strip().splitlines():
        way, number, action, protocol, ports, cidr = line.split()
        low, _, high = ports.partition("-")
        span = (int(low), int(high or low)) if low else ALL_PORTS
        rules.append(
            AclRule(
                name, way == "out", int(number), action == "allow", PROTOCOLS.get(protocol, ANY), Cidr.of(cidr), span
            )
        )
    return Acl(name, name, tuple(sorted(rules, key=lambda rule: (rule.egress, rule.number))))


def group(name: str, text: str) -> Group:
    """A group from a line as in `GROUPS`; its id is its name."""
    rules = []
    for number, one in enumerate(filter(None, text.split(", "))):
        way, port, peer = one.split()
        cidr = Cidr.of(peer) if "/" in peer else None
        named = "" if cidr else f"lyceum-dev-{peer}"
        rules.append(
            GroupRule(f"sgr-{name}-{number}", f"lyceum-dev-{name}", way == "out", PROTOCOLS["tcp"],
                      (int(port), int(port)), cidr, named, named)
        )  # fmt: skip
    return Group(f"lyceum-dev-{name}", f"lyceum-dev-{name}", tuple(rules))


def address(text: str) -> int:
    return int(IPv4Address(text))


def host(role: str, where: str, zone: str, subnet: str, *, public: bool = False) -> Host:
    ports = WIDE_PORTS if role == "load-balancer" else LINUX_PORTS
    return Host(role, address(where), zone, subnet, frozenset({f"lyceum-dev-{role}"}), public, ports)


@pytest.fixture
def development() -> Topology:
    """The network of development as it has to be: two zones, one NAT gateway."""
    subnets, hosts, tables = {}, [], {}
    local = Route(Cidr.of("10.20.0.0/16"), "local", "local")
    nat = Route(Cidr.of("0.0.0.0/0"), "nat", "nat-1")
    services = [Route("pl-s3", "gateway", "vpce-s3"), Route("pl-dynamodb", "gateway", "vpce-dynamodb")]
    for tier, block in TIERS.items():
        for index, zone in enumerate(("us-east-1a", "us-east-1b")):
            id_ = f"{tier}-{zone}"
            table = "public" if tier == "public" else id_
            cidr = Cidr.of(f"10.20.{block + 4 * index}.0/22")
            subnets[id_] = Subnet(id_, f"lyceum-dev-{id_}", tier, zone, cidr, f"lyceum-dev-{tier}", table)
            more = {"public": [Route(Cidr.of("0.0.0.0/0"), "internet", "igw-1")], "data": []}.get(
                tier, [*services, nat]
            )
            tables[table] = RouteTable(table, f"lyceum-dev-{table}", (local, *more))
            hosts += [
                host(role, f"10.20.{block + 4 * index}.{10 + 2 * number}", zone, id_, public=role == "load-balancer")
                for number, role in enumerate(HOSTS)
                if HOSTS[role] == tier and (role != "bastion" or index == 0)
            ]
    hosts += [
        Host("s3", address("198.18.0.1"), prefix_list="pl-s3"),
        Host("dynamodb", address("198.18.1.1"), prefix_list="pl-dynamodb"),
    ]
    return Topology(
        "lyceum-dev",
        Cidr.of("10.20.0.0/16"),
        subnets,
        tables,
        {f"lyceum-dev-{tier}": acl(f"lyceum-dev-{tier}", text) for tier, text in DEVELOPMENT.items()},
        {f"lyceum-dev-{name}": group(name, text) for name, text in GROUPS.items()},
        {"nat-1": Nat("nat-1", "lyceum-dev-us-east-1a", "public-us-east-1a", works=True)},
        tuple(hosts),
    )


@pytest.fixture
def model(development: Topology) -> Model:
    return Model(development, ENVIRONMENTS["dev"])


@pytest.fixture
def production(development: Topology) -> Topology:
    """The same with a domain, hence open to everybody, and a NAT gateway in each zone."""
    inside = [line for line in DEVELOPMENT["public"].strip().splitlines() if int(line.split()[1]) <= 500]
    public = """
        in  600 allow tcp 443         0.0.0.0/0
        in  610 allow tcp 80          0.0.0.0/0
        in  620 allow tcp 1024-65535  0.0.0.0/0
        out 600 allow tcp 1024-65535  0.0.0.0/0
        out 610 allow tcp 443         0.0.0.0/0
    """
    second = Route(Cidr.of("0.0.0.0/0"), "nat", "nat-2")
    balancer = group("load-balancer", "in 80 0.0.0.0/0, in 443 0.0.0.0/0, out 8000 server")
    tables = {
        id_: replace(table, routes=tuple(second if one.kind == "nat" else one for one in table.routes))
        for id_, table in development.tables.items()
        if id_.endswith("us-east-1b")
    }
    return replace(
        development,
        acls={**development.acls, "lyceum-dev-public": acl("lyceum-dev-public", "\n".join(inside) + public)},
        groups={**development.groups, balancer.id: balancer},
        nats={**development.nats, "nat-2": Nat("nat-2", "lyceum-dev-us-east-1b", "public-us-east-1b", works=True)},
        tables={**development.tables, **tables},
    )
