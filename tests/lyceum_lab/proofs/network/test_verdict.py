"""What decides whether a request passes and its reply comes back, one rule of AWS's at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.lyceum_lab.proofs.network.conftest import acl, address, group

from lyceum_lab.proofs.network.topology import PROTOCOLS, WIDE_PORTS, Cidr, Host, Nat, Route, Topology
from lyceum_lab.proofs.network.verdict import Verdict, first_match, narrowest, verdict

TCP, UDP, ICMP, ESP = (PROTOCOLS[name] for name in ("tcp", "udp", "icmp", "esp"))
LEARNER = Host("operator", address("203.0.113.9"), ports=WIDE_PORTS)
ANYBODY = Host("internet", address("198.51.100.7"), ports=WIDE_PORTS)
INSIDE = address("10.20.33.1")


def find(topology: Topology, role: str, zone: str = "us-east-1a") -> Host:
    return next(host for host in topology.hosts if host.role == role and host.zone in {zone, ""})


def tried(topology: Topology, source: str | Host, target: str | Host, port: int, protocol: int = TCP) -> Verdict:
    one, other = (find(topology, end) if isinstance(end, str) else end for end in (source, target))
    return verdict(topology, one, other, protocol, port)


def with_acl(topology: Topology, tier: str, text: str) -> Topology:
    name = f"lyceum-dev-{tier}"
    return replace(topology, acls={**topology.acls, name: acl(name, text)})


def with_group(topology: Topology, name: str, text: str) -> Topology:
    return replace(topology, groups={**topology.groups, f"lyceum-dev-{name}": group(name, text)})


def with_routes(topology: Topology, table: str, routes: Iterable[Route]) -> Topology:
    changed = replace(topology.tables[table], routes=tuple(routes))
    return replace(topology, tables={**topology.tables, table: changed})


class TestAcl:
    @pytest.mark.parametrize(
        ("rules", "number"),
        [
            ("in 100 allow tcp 5432 10.20.0.0/16\nin 200 deny all - 10.20.0.0/16", 100),
            ("in 200 allow tcp 5432 10.20.0.0/16\nin 100 deny all - 10.20.0.0/16", 100),
            ("in 100 deny tcp 5433 10.20.0.0/16\nin 200 allow tcp 5432 10.20.0.0/16", 200),
            ("in 100 deny udp 5432 10.20.0.0/16\nin 200 allow tcp 5432 10.20.0.0/16", 200),
            ("in 100 deny tcp 5432 10.20.34.0/24\nin 200 allow tcp 5432 10.20.33.0/24", 200),
            ("out 100 deny tcp 5432 10.20.0.0/16\nin 200 allow tcp 5432 10.20.0.0/16", 200),
            ("in 100 allow all - 10.20.33.1/32", 100),
        ],
    )
    def test_the_lowest_number_that_matches_decides(self, rules: str, number: int) -> None:
        found = first_match(acl("a", rules), False, TCP, INSIDE, 5432)
        assert found is not None
        assert found.number == number

    def test_what_nothing_matches_is_refused(self) -> None:
        assert first_match(acl("a", "in 100 allow tcp 5432 10.20.34.0/24"), False, TCP, INSIDE, 5432) is None

    def test_ports_mean_nothing_to_a_protocol_without_any(self) -> None:
        found = first_match(acl("a", "in 100 allow icmp 8 10.20.0.0/16"), False, ICMP, INSIDE, 0)
        assert found is not None

    @pytest.mark.parametrize(
        ("rules", "passes", "port"),
        [
            ("in 100 allow tcp 32768-60999 0.0.0.0/0", True, 32768),
            ("in 100 allow tcp 32768-49999 0.0.0.0/0", False, 50000),
            ("in 100 allow tcp 32769-60999 0.0.0.0/0", False, 32768),
            ("in 90 deny tcp 40000-40009 0.0.0.0/0\nin 100 allow tcp 32768-60999 0.0.0.0/0", False, 40000),
            ("in 100 allow tcp 32768-49999 0.0.0.0/0\nin 110 allow tcp 50000-60999 0.0.0.0/0", True, 32768),
        ],
    )
    def test_a_reply_has_to_pass_to_every_port_the_client_may_have_asked_from(
        self, rules: str, passes: bool, port: int
    ) -> None:
        rule, at = narrowest(acl("a", rules), False, TCP, INSIDE, 32768, 60999)
        assert (bool(rule and rule.allow), at) == (passes, port)


def test_a_request_and_its_reply_pass(development: Topology) -> None:
    found = tried(development, "server", "database", 5432)
    assert found.passes
    assert found.via == "local"
    assert [step.place for step in found.steps if step.way == "reply"] == [
        "network ACL lyceum-dev-data, out",
        "network ACL lyceum-dev-app, in",
    ]


def test_without_a_rule_for_the_reply_nothing_comes_back_and_the_rule_in_its_way_is_named(
    development: Topology,
) -> None:
    broken = with_acl(development, "app", "in 500 deny all - 10.20.0.0/16\nout 110 allow tcp 5432 10.20.32.0/20")
    found = tried(broken, "server", "database", 5432)
    assert not found.passes
    assert str(found.deciding) == ("reply: network ACL lyceum-dev-app, in: rule 500 denies tcp 32768 from 10.20.32.14")


def test_a_rule_for_linux_is_too_narrow_for_a_load_balancer(development: Topology) -> None:
    broken = with_acl(
        development, "app", "in 100 allow tcp 8000 10.20.0.0/20\nout 100 allow tcp 32768-60999 10.20.0.0/20"
    )
    found = tried(broken, "load-balancer", "server", 8000)
    assert "app, out: no rule allows tcp 1024 to 10.20.0.10" in str(found.deciding)


def test_within_a_subnet_no_acl_is_asked_and_groups_are(development: Topology) -> None:
    closed = with_acl(development, "data", "in 1 deny all - 0.0.0.0/0")
    files = replace(find(closed, "files"), groups=frozenset({"lyceum-dev-server"}))
    assert verdict(closed, files, find(closed, "database"), TCP, 5432).passes
    assert not tried(closed, files, find(closed, "database", "us-east-1b"), 5432).passes
    assert "security group lyceum-dev-files, out" in tried(closed, "files", "database", 5432).deciding.place


@pytest.mark.parametrize(
    ("group", "rules", "place"),
    [
        ("server", "in 8000 load-balancer", "security group lyceum-dev-server, out"),
        ("database", "in 5432 bastion", "security group lyceum-dev-database, in"),
        ("database", "in 5433 server", "security group lyceum-dev-database, in"),
        ("database", "in 5432 10.20.48.0/20", "security group lyceum-dev-database, in"),
        ("database", "", "security group lyceum-dev-database, in"),
    ],
)
def test_both_groups_have_to_let_it_pass(development: Topology, group: str, rules: str, place: str) -> None:
    found = tried(with_group(development, group, rules), "server", "database", 5432)
    assert not found.passes
    assert found.deciding.place == place


def test_a_group_may_name_a_range_instead_of_a_group(development: Topology) -> None:
    assert tried(with_group(development, "database", "in 5432 10.20.16.0/20"), "server", "database", 5432).passes


def test_a_host_in_no_group_reaches_nobody(development: Topology) -> None:
    alone = replace(find(development, "server"), groups=frozenset())
    assert "without a security group" in str(tried(development, alone, "database", 5432).deciding)


class TestOutside:
    def test_visitors_come_in_through_the_internet_gateway(self, development: Topology) -> None:
        found = tried(development, LEARNER, "load-balancer", 80)
        assert found.passes
        assert found.via == "internet"

    def test_others_do_not(self, development: Topology) -> None:
        assert tried(development, ANYBODY, "load-balancer", 80).deciding.place == "network ACL lyceum-dev-public, in"

    def test_nobody_reaches_what_has_no_public_address(self, development: Topology) -> None:
        assert "database@us-east-1a has no public address" in str(
            tried(development, ANYBODY, "database", 5432).deciding
        )

    def test_a_public_address_without_a_route_is_none(self, development: Topology) -> None:
        lost = with_routes(development, "public", development.tables["public"].routes[:1])
        found = tried(lost, LEARNER, "load-balancer", 80)
        assert "route table lyceum-dev-public has no route to operator" in str(found.deciding)

    def test_without_a_public_address_no_internet_gateway_helps(self, development: Topology) -> None:
        server = "app-us-east-1a"
        led = with_routes(development, server, [Route(Cidr.of("0.0.0.0/0"), "internet", "igw-1")])
        assert "no public address for the internet gateway" in str(tried(led, "server", ANYBODY, 443).deciding)

    def test_one_outside_reaching_another_is_not_ours(self, development: Topology) -> None:
        assert not tried(development, ANYBODY, LEARNER, 443).passes

    def test_a_service_opens_no_connection(self, development: Topology) -> None:
        assert "answers and opens no connections" in str(tried(development, "s3", "load-balancer", 80).deciding)


class TestNat:
    def test_it_asks_in_its_own_name_and_each_border_is_crossed(self, development: Topology) -> None:
        found = tried(development, "server", ANYBODY, 443)
        assert found.passes
        assert found.via == "nat"
        assert [step.place.removeprefix("network ACL lyceum-dev-") for step in found.steps if "ACL" in step.place] == [
            "app, out", "public, in", "public, out", "public, in", "public, out", "app, in",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("in 100 allow tcp 443 10.20.16.0/20", "request: network ACL lyceum-dev-public, out"),
            ("out 610 allow tcp 443 0.0.0.0/0", "request: network ACL lyceum-dev-public, in"),
            (
                "in 100 allow tcp 443 10.20.16.0/20\nin 610 allow tcp 32768-60999 0.0.0.0/0\n"
                "out 610 allow tcp 443 0.0.0.0/0",
                "reply: network ACL lyceum-dev-public, in: no rule allows tcp 1024 from 198.51.100.7",
            ),
        ],
    )
    def test_its_own_subnet_has_to_let_it(self, development: Topology, text: str, said: str) -> None:
        assert said in str(tried(with_acl(development, "public", text), "server", ANYBODY, 443).deciding)

    def test_one_that_is_gone_leads_nowhere(self, development: Topology) -> None:
        for nats in ({}, {"nat-1": Nat("nat-1", "n", "public-us-east-1a", works=False)}):
            found = tried(replace(development, nats=nats), "server", ANYBODY, 443)
            assert "which does not work" in str(found.deciding)

    def test_it_translates_no_other_protocol(self, development: Topology) -> None:
        rules = development.groups["lyceum-dev-server"].rules
        wide = tuple(replace(rule, protocol=-1) for rule in rules)
        changed = replace(development.groups["lyceum-dev-server"], rules=wide)
        open_ = replace(development, groups={**development.groups, changed.id: changed})
        assert "TCP, UDP and ICMP only" in str(tried(open_, "server", ANYBODY, 0, ESP).deciding)

    def test_a_gateway_endpoint_goes_before_it(self, development: Topology) -> None:
        assert tried(development, "server", "s3", 443).via == "gateway"
        table = "app-us-east-1a"
        only_nat = with_routes(development, table, [r for r in development.tables[table].routes if r.kind == "nat"])
        assert tried(only_nat, "server", "s3", 443).via == "nat"


def test_the_data_tier_has_no_way_out_whatever_its_group_says(development: Topology) -> None:
    led = with_group(development, "database", "out 443 0.0.0.0/0")
    said = "route table lyceum-dev-data-us-east-1a has no route to internet (198.51.100.7)"
    assert said in str(tried(led, "database", ANYBODY, 443).deciding)


@pytest.mark.parametrize("kind", ["blackhole", "unknown"])
def test_a_route_that_leads_nowhere_known_is_no_way(development: Topology, kind: str) -> None:
    lost = with_routes(development, "app-us-east-1a", [Route(Cidr.of("0.0.0.0/0"), kind, "nat-9")])
    assert f"nat-9, which is {kind}" in str(tried(lost, "server", ANYBODY, 443).deciding)


def test_udp_is_not_tcp(development: Topology) -> None:
    assert not tried(development, "server", "database", 5432, UDP).passes
