"""Page 2: the network: subnets with their ranges, every flow that a security group allows, every rule of every ACL."""

from __future__ import annotations

from typing import NamedTuple

from lyceum_lab.documents.diagram.model import Box, Card, Edge, Flow, Group, Node, Page, Point, Table

PAGE = "network"
TIERS = ("public", "app", "data", "management")
TOPS = dict(zip(TIERS, (322.0, 482.0, 642.0, 802.0), strict=True))
HIGH = 150.0
PROD, DEV = frozenset({"prod"}), frozenset({"dev"})
ANYWHERE, OPERATORS = "anywhere", "operators"
LINUX, WIDE = "32768-60999", "1024-65535"
ROWS = "nacl-"  # tables of ACL rules; the ones of development say so


class Rule(NamedTuple):
    """A rule of a network ACL as it is drawn: number, destination ports, the tier or outsider at the other end."""

    number: int
    ports: str
    peer: str


# What a reader sees, hence written out: check.py holds it against what is applied.
INWARD: dict[str, tuple[Rule, ...]] = {
    "public": (
        Rule(100, WIDE, "app"), Rule(110, "443", "app"), Rule(120, "443", "management"), Rule(500, "deny", "VPC"),
        Rule(600, "443", ANYWHERE), Rule(610, "80", ANYWHERE), Rule(620, WIDE, ANYWHERE),
    ),
    "app": (
        Rule(100, "8000", "public"), Rule(110, LINUX, "data"), Rule(500, "deny", "VPC"), Rule(600, LINUX, ANYWHERE),
    ),
    "data": (
        Rule(100, "5432", "app"), Rule(110, "2049", "app"), Rule(120, "5432", "management"), Rule(500, "deny", "VPC"),
    ),
    "management": (Rule(100, LINUX, "data"), Rule(500, "deny", "VPC"), Rule(600, LINUX, ANYWHERE)),
}  # fmt: skip
OUTWARD: dict[str, tuple[Rule, ...]] = {
    "public": (
        Rule(100, "8000", "app"), Rule(110, LINUX, "app"), Rule(120, LINUX, "management"), Rule(500, "deny", "VPC"),
        Rule(600, WIDE, ANYWHERE), Rule(610, "443", ANYWHERE),
    ),
    "app": (
        Rule(100, WIDE, "public"), Rule(110, "5432", "data"), Rule(120, "2049", "data"), Rule(500, "deny", "VPC"),
        Rule(600, "443", ANYWHERE),
    ),
    "data": (Rule(100, LINUX, "app"), Rule(110, LINUX, "management"), Rule(500, "deny", "VPC")),
    "management": (Rule(100, "5432", "data"), Rule(500, "deny", "VPC"), Rule(600, "443", ANYWHERE)),
}  # fmt: skip
# Development without a domain: only its operators come in, by HTTP. Its other rules are those of production.
DEV_INWARD = (Rule(600, "80", OPERATORS), Rule(610, WIDE, ANYWHERE))
DEV_OUTWARD = (Rule(600, WIDE, OPERATORS), Rule(610, "443", ANYWHERE))


def tier_range(environment: str, tier: str, zone: int | None = None) -> str:
    """A tier's range, or one of its subnets."""
    second, third = {"prod": 30, "dev": 20}[environment], 16 * TIERS.index(tier)
    return f"10.{second}.{third}.0/20" if zone is None else f"10.{second}.{third + 4 * zone}.0/22"


def _zone(letter: str, index: int, x: float) -> tuple[tuple[Group, ...], tuple[Node, ...]]:
    first = index == 0
    groups = [Group(f"zone-{letter}", "zone", f"Availability Zone {letter}", Box(x, 298, 260, 662), "vpc")]
    for tier, y in TOPS.items():
        groups.append(
            Group(
                f"{tier}-{letter}", "public" if tier == "public" else "private",
                f"{tier.capitalize()} · {tier_range('prod', tier, index)}", Box(x + 8, y, 244, HIGH), f"zone-{letter}",
                kinds=("aws_subnet",) if (first and tier == "public") else (),
            )
        )  # fmt: skip
    left, middle, right = x + 56, x + 110, x + 164

    def node(name: str, icon: str, label: str, at: float, tier: str, sub: str = "", **more: object) -> Node:
        place = Point(at, TOPS[tier] + 48)
        return Node(f"{name}-{letter}", icon, label, place, sub, f"{tier}-{letter}", **more)  # type: ignore[arg-type]

    nodes = [
        node("balancer", "balancer", "Load balancer", left, "public"),
        node("nat", "nat", "NAT gateway", right, "public", kinds=("aws_nat_gateway", "aws_eip") if first else ()),
        node("server", "ec2", "Servers", middle, "app", "in one group"),
        node("database", "rds", "PostgreSQL", left, "data", "primary" if first else "standby"),
        node("files", "efs", "Shared files", right, "data", "mount target"),
    ]
    if first:
        nodes.append(node("bastion", "ec2", "Bastion", left, "management", kinds=("aws_instance",)))
    nodes.append(node("jobs", "build", "Migrations", right if first else middle, "management"))
    return tuple(groups), tuple(nodes)


def _rules(tier: str) -> Table:
    rows = [("in", "ports", "from", "out", "ports", "to")]
    inward, outward = INWARD[tier], OUTWARD[tier]
    for index in range(max(len(inward), len(outward))):
        row: list[str] = []
        for rules in (inward, outward):
            row += list(map(str, rules[index])) if index < len(rules) else ["", "", ""]
        rows.append(tuple(row))  # type: ignore[arg-type]
    return Table(
        f"{ROWS}{tier}", f"Network ACL {tier} · {tier_range('prod', tier)}", Box(1124, TOPS[tier], 348, HIGH),
        (0, 26, 98, 170, 196, 268), tuple(rows), "vpc", size=11, red=frozenset({"deny"}), strong=frozenset({0}),
        kinds=("aws_network_acl",) if tier == "public" else (),
    )  # fmt: skip


def _development() -> Table:
    """What is otherwise in development, ranges and rules."""
    rows = [
        ("tier", *TIERS, "", "ACL public in", "ports", "from", "out", "ports", "to"),
        (
            "range",
            *(tier_range("dev", tier) for tier in TIERS),
            "",
            *map(str, DEV_INWARD[0]),
            *map(str, DEV_OUTWARD[0]),
        ),
        ("zone a", *(tier_range("dev", t, 0) for t in TIERS), "", *map(str, DEV_INWARD[1]), *map(str, DEV_OUTWARD[1])),
        ("zone b", *(tier_range("dev", tier, 1) for tier in TIERS), "", "and all others as above"),
    ]
    return Table(
        f"{ROWS}development",
        "Development: 10.20.0.0/16, one NAT gateway (zone a), no standby; the load balancer takes 80 from its "
        "operators' ranges alone, in place of 443 and 80 from anywhere",
        Box(30, 1012, 1456, 96), (0, 70, 190, 310, 430, 550, 720, 810, 900, 1010, 1060, 1150), tuple(rows),
        strong=frozenset({0}), flows=(Flow(OPERATORS, "load-balancer", 80, DEV),),
    )  # fmt: skip


def page() -> Page:
    """The page."""
    (groups_a, nodes_a), (groups_b, nodes_b) = _zone("a", 0, 56), _zone("b", 1, 852)
    groups = (
        Group("cloud", "cloud", "AWS Cloud", Box(16, 122, 1484, 876)),
        Group("region", "region", "Region", Box(30, 150, 1456, 836), "cloud"),
        Group("vpc", "vpc", "VPC · 10.30.0.0/16", Box(44, 234, 1432, 740), "region", kinds=("aws_vpc",)),
        *groups_a,
        *groups_b,
    )
    nodes = (
        Node("internet", "internet", "Internet", Point(546, 72), "", beside=True),
        Node("logs", "cloudwatch", "CloudWatch Logs", Point(300, 172), "flows, encrypted", "region", beside=True),
        Node("s3", "s3", "S3", Point(752, 172), "", "region", beside=True),
        Node("dynamodb", "dynamodb", "DynamoDB", Point(860, 172), "", "region", beside=True),
        Node("flowlog", "flowlog", "Flow log", Point(300, 244), "", "vpc", beside=True, kinds=("aws_flow_log",)),
        Node("gateway", "gateway", "Internet gateway", Point(546, 244), "", "vpc", kinds=("aws_internet_gateway",)),
        Node("endpoints", "endpoint", "Gateway endpoints", Point(791, 244), "", "vpc", beside=True),
        *nodes_a,
        *nodes_b,
    )
    group = "security group"
    cards = (
        Card("load-balancer", "load-balancer", Box(476, 390, 180, 46), (group,), "vpc", "group",
             kinds=("aws_security_group",)),
        Card("server", "server", Box(476, 534, 180, 46), (group,), "vpc", "group"),
        Card("files", "files", Box(340, 694, 150, 46), (group,), "vpc", "group"),
        Card("database", "database", Box(521, 694, 180, 46), (group,), "vpc", "group"),
        Card("bastion", "bastion", Box(340, 854, 150, 46), (f"{group}, no way in",), "vpc", "group"),
        Card("jobs", "jobs", Box(521, 854, 180, 46), (f"{group}, no way in",), "vpc", "group"),
        Card("outside", "0.0.0.0/0", Box(741, 530, 96, 380),
             ("by NAT;", "S3 and", "DynamoDB by", "endpoints"), "vpc"),
    )  # fmt: skip
    rules = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
    edges = (
        Edge("internet", "gateway", ("bottom", 0.5), ("top", 0.5), both=True),
        Edge(
            "gateway", "load-balancer", ("bottom", 0.5), ("top", 0.5), (), "443, and 80\nto be redirected",
            label_at=Point(622, 350),
            flows=(Flow("internet", "load-balancer", 443, PROD), Flow("internet", "load-balancer", 80, PROD)),
            kinds=rules,
        ),
        Edge("load-balancer", "server", ("bottom", 0.5), ("top", 0.5), (), "8000",
             flows=(Flow("load-balancer", "server", 8000),)),
        Edge("server", "files", ("bottom", 0.25), ("top", 0.5), (Point(521, 637), Point(415, 637)), "2049",
             label_at=Point(468, 627), flows=(Flow("server", "files", 2049),)),
        Edge("server", "database", ("bottom", 0.75), ("top", 0.5), (), "5432",
             flows=(Flow("server", "database", 5432),)),
        Edge("bastion", "database", ("top", 0.5), ("bottom", 0.25), (Point(415, 797), Point(566, 797)), "5432",
             label_at=Point(490, 787), flows=(Flow("bastion", "database", 5432),)),
        Edge("jobs", "database", ("top", 0.75), ("bottom", 0.75), (), "5432",
             flows=(Flow("jobs", "database", 5432),)),
        Edge("server", "outside", ("right", 0.5), ("left", 27 / 380), (), "443",
             flows=(Flow("server", "internet", 443),)),
        Edge("jobs", "outside", ("right", 0.5), ("left", 347 / 380), (), "443",
             flows=(Flow("jobs", "internet", 443),)),
        Edge("bastion", "outside", ("bottom", 0.5), ("bottom", 0.5), (Point(415, 936), Point(789, 936)), "443",
             label_at=Point(600, 926), flows=(Flow("bastion", "internet", 443),)),
        Edge("outside", "gateway", ("top", 20 / 96), ("right", 0.5), (Point(761, 264),), "through NAT",
             label_at=Point(680, 254)),
        Edge("outside", "endpoints", ("top", 70 / 96), ("bottom", 0.5)),
        Edge("endpoints", "s3", ("top", 0.5), ("bottom", 0.5), (Point(811, 224), Point(772, 224))),
        Edge("endpoints", "dynamodb", ("top", 0.5), ("bottom", 0.5), (Point(811, 224), Point(880, 224))),
        Edge("flowlog", "logs", ("top", 0.5), ("bottom", 0.5), look="data"),
    )  # fmt: skip
    return Page(
        PAGE,
        "Lyceum: the network",
        "Production. Middle: who may open a connection to whom, by security group, all by TCP. Right: the network ACL "
        "of each tier, stateless, rules by number; the rest is refused.",
        "A VPC with four tiers (public, app, data, management) in two availability zones, one subnet each, with their "
        "ranges; the flows that the security groups allow, with ports; every rule of the four network ACLs; how "
        "development differs.",
        (1516, 1150),
        groups,
        nodes,
        cards,
        (*map(_rules, TIERS), _development()),
        edges,
        legend=("group:public", "group:private", "group:zone", "group:vpc", "group:region", "edge:call", "edge:data"),
        legend_at=Point(30, 1132),
    )  # fmt: skip
