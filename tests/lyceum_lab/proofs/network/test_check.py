"""Development as it has to be is found to be so; whatever is broken in it is found, and the rule is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lyceum_lab.proofs.network import check, expected, removals
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.topology import (
    ALL_PORTS,
    EVERYWHERE,
    PROTOCOLS,
    AclRule,
    Cidr,
    GroupRule,
    Route,
    Topology,
)

CHECKS = (check.places, check.routes, check.must_pass, check.must_not_pass, check.acls, check.groups)


def found(topology: Topology, environment: str = "dev") -> list[str]:
    model = Model(topology, expected.ENVIRONMENTS[environment])
    return [str(finding) for one in CHECKS for finding in one(model)]


def acl_rule(topology: Topology, tier: str, way: str, number: int) -> AclRule:
    rules = topology.acls[f"lyceum-dev-{tier}"].rules
    return next(rule for rule in rules if rule.number == number and rule.egress == (way == "out"))


def with_rule(topology: Topology, group: str, rule: GroupRule) -> Topology:
    name = f"lyceum-dev-{group}"
    changed = replace(topology.groups[name], rules=(*topology.groups[name].rules, rule))
    return replace(topology, groups={**topology.groups, name: changed})


def test_development_is_as_the_list_says(development: Topology) -> None:
    assert found(development) == []


def test_production_is_as_the_list_says(production: Topology) -> None:
    assert found(production, "prod") == []


def test_in_production_the_denies_of_the_vpcs_own_range_keep_servers_from_the_load_balancers_back(
    production: Topology,
) -> None:
    """Both groups let 443 pass to everywhere and from everywhere."""
    for way in ("out", "in"):
        production = production.changed(acl_rule(production, "app", way, 500), None)
    assert any(
        one.startswith("server@us-east-1a → load-balancer@us-east-1a tcp 443 passes (a server goes in through")
        for one in found(production, "prod")
    )


def test_production_is_asked_for_more(development: Topology) -> None:
    said = " ".join(found(development, "prod"))
    assert "NAT gateways stand in us-east-1a, and each zone needs its own" in said
    assert "internet → load-balancer@us-east-1a tcp 443 (learners, by TLS) does not pass" in said


class TestBroken:
    def test_a_reply_that_cannot_come_back_names_the_list_and_the_rule_in_its_way(self, development: Topology) -> None:
        said = found(development.changed(acl_rule(development, "app", "in", 110), None))
        assert said[0] == (
            "server@us-east-1a → database@us-east-1a tcp 5432 (student data) does not pass: "
            "reply: network ACL lyceum-dev-app, in: rule 500 denies tcp 32768 from 10.20.32.14"
        )

    def test_an_acl_rule_that_is_too_wide_is_seen_behind_closed_groups(self, development: Topology) -> None:
        rule = acl_rule(development, "data", "in", 100)
        said = found(development.changed(rule, replace(rule, ports=(5432, 5433))))
        assert all(
            "network ACL lyceum-dev-data, in, rule 100 (allow tcp 5432-5433 from 10.20.16.0/20)" in one for one in said
        )
        assert len(said) == 2  # the two subnets of the servers

    def test_a_group_that_is_too_wide_is_seen_behind_a_closed_acl(self, development: Topology) -> None:
        rule = GroupRule("sgr-new", "lyceum-dev-database", False, PROTOCOLS["tcp"], (22, 22), EVERYWHERE)
        said = found(with_rule(development, "database", rule))
        assert said
        assert all(
            "security group lyceum-dev-database, in, rule sgr-new (tcp 22 from 0.0.0.0/0)" in one for one in said
        )

    def test_what_is_open_on_every_side_is_said_with_what_it_means(self, development: Topology) -> None:
        rule = acl_rule(development, "public", "in", 600)
        opened = development.changed(rule, replace(rule, cidr=EVERYWHERE))
        out = acl_rule(opened, "public", "out", 600)
        opened = opened.changed(out, replace(out, cidr=EVERYWHERE))
        group = next(one for one in opened.groups["lyceum-dev-load-balancer"].rules if not one.egress)
        said = found(opened.changed(group, replace(group, cidr=EVERYWHERE)))
        assert any(
            one.startswith("internet → load-balancer@us-east-1a tcp 80 passes (the load balancer answers to more than")
            for one in said
        )

    def test_a_public_database_is_found(self, development: Topology) -> None:
        hosts = tuple(replace(host, public=host.public or host.role == "database") for host in development.hosts)
        assert "database@us-east-1a has a public address" in found(replace(development, hosts=hosts))

    def test_a_server_in_another_tier_or_group_is_found(self, development: Topology) -> None:
        strange = replace(
            next(host for host in development.hosts if host.role == "server"),
            subnet="public-us-east-1a",
            groups=frozenset({"lyceum-dev-jobs"}),
        )
        said = found(replace(development, hosts=(*development.hosts, strange)))
        assert "server@us-east-1a stands in the public tier, not in app" in said
        assert "server@us-east-1a is in the groups lyceum-dev-jobs" in said

    def test_a_way_out_of_the_data_tier_is_found_though_nobody_may_use_it(self, development: Topology) -> None:
        table = development.tables["data-us-east-1a"]
        led = replace(table, routes=(*table.routes, Route(EVERYWHERE, "nat", "nat-1")))
        said = found(replace(development, tables={**development.tables, table.id: led}))
        assert said == ["lyceum-dev-data-us-east-1a leaves by nat; it should by nothing"]

    def test_another_protocol_is_found(self, development: Topology) -> None:
        rule = GroupRule("sgr-icmp", "lyceum-dev-server", True, PROTOCOLS["icmp"], ALL_PORTS, EVERYWHERE)
        assert all("icmp" in one for one in found(with_rule(development, "server", rule)))

    def test_a_protocol_that_nobody_thought_of_is_found(self, development: Topology) -> None:
        rule = replace(acl_rule(development, "data", "in", 100), number=130, protocol=47)
        acl = development.acls["lyceum-dev-data"]
        wide = replace(acl, rules=(*acl.rules[:3], rule, *acl.rules[3:]))
        said = found(replace(development, acls={**development.acls, acl.id: wide}))
        assert said
        assert all(one.startswith("protocol 47 from 10.20.") and "rule 130" in one for one in said)


class TestRemovals:
    def test_each_rule_that_goes_is_missed_and_named_or_justified(self, model: Model) -> None:
        trials = list(removals.remove(model))
        assert len(trials) == 48
        assert [str(trial) for trial in trials if trial.faulty] == []
        assert {trial.rule.label for trial in trials if trial.justified and not isinstance(trial.rule, str)} == {
            "network ACL lyceum-dev-data, in, rule 500",
            "network ACL lyceum-dev-data, out, rule 500",
        }

    def test_each_allow_that_is_widened_is_noticed_and_named(self, model: Model) -> None:
        trials = list(removals.widen(model))
        assert len(trials) > 100
        assert [str(trial) for trial in trials if trial.faulty] == []

    def test_each_route_that_goes_is_missed_and_named(self, model: Model) -> None:
        trials = list(removals.remove_routes(model))
        assert len(trials) == 13
        assert [str(trial) for trial in trials if trial.faulty] == []

    def test_a_rule_that_nobody_needs_is_told(self, development: Topology) -> None:
        rule = GroupRule(
            "sgr-idle", "lyceum-dev-files", False, PROTOCOLS["tcp"], (2049, 2049), Cidr.of("10.20.48.0/20")
        )
        trials = removals.remove(Model(with_rule(development, "files", rule), expected.ENVIRONMENTS["dev"]))
        assert [str(trial) for trial in trials if trial.faulty] == [
            "security group lyceum-dev-files, in, rule sgr-idle (tcp 2049 from 10.20.48.0/20), removed: nothing notices"
        ]

    def test_a_justification_that_nothing_needs_is_told(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(expected.JUSTIFIED, ("removed", "app", False, 500), "we believe so")
        said = [str(trial) for trial in removals.remove(model) if trial.faulty]
        assert len(said) == 1
        assert "its justification is not needed" in said[0]

    def test_one_that_is_missing_is_told(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(expected.JUSTIFIED, ("removed", "data", True, 500))
        said = [str(trial) for trial in removals.remove(model) if trial.faulty]
        assert said == [
            "network ACL lyceum-dev-data, out, rule 500 (deny all to 10.20.0.0/16), removed: nothing notices"
        ]


class TestTheList:
    @pytest.mark.parametrize("environment", expected.ENVIRONMENTS)
    def test_what_must_never_pass_is_not_on_the_list_of_what_must(self, environment: str) -> None:
        given = expected.ENVIRONMENTS[environment]
        outside = {"internet", "visitors", "s3", "dynamodb"}

        def means(role: str, name: str) -> bool:
            return name in {"anyone", role} or (name == "outside" and role in outside)

        # Visitors reach the load balancer on its ports: that sentence is of the other ports.
        both = [
            (one.source, one.target)
            for one in expected.connections(given)
            for never in expected.NEVER
            if means(one.source, never.source) and means(one.target, never.target) and one.source != "visitors"
        ]
        assert both == []

    def test_every_connection_has_its_roles_in_a_tier(self) -> None:
        named = {
            end
            for one in expected.connections(expected.Given(None, endpoints=True))
            for end in (one.source, one.target)
        }
        assert named - set(expected.TIERS) == {"internet", "visitors", "s3", "dynamodb"}

    def test_it_knows_nothing_of_the_code_that_makes_the_network(self) -> None:
        text = open(expected.__file__).read()  # noqa: SIM115
        assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == [
            "from __future__ import annotations",
            "from dataclasses import dataclass, replace",
            "from lyceum_lab.proofs.network.topology import LINUX_PORTS, WIDE_PORTS",
        ]


def test_classes_begin_wherever_anything_changes() -> None:
    assert check.classes([(80, 80), (1024, 65535)], 65535) == (0, 80, 81, 1024)
