"""The network that is written down by hand carries packets as the model says, and a broken one is told by name."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.cloud.network import counters, namespaces
from lyceum_lab.cloud.network.vpc import Vpc, clean
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.expected import ENVIRONMENTS
from lyceum_lab.proofs.network.topology import ALL_PORTS, AclRule, Topology
from lyceum_lab.proofs.packets import prove, trials
from lyceum_ops.errors import LyceumError

pytestmark = pytest.mark.namespaces


def test_every_packet_goes_as_the_model_says_and_each_rule_is_missed(
    model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove.prove_model(model, "packets-test") == 0
    said = capsys.readouterr().out
    assert "4 passed, 0 failed" in said
    assert "noticed and named, 2 justified" in said
    assert namespaces.left(namespaces.key(paths.HOME / "packets-test")) == []


def test_production_with_a_gateway_in_each_zone(production: Topology, tmp_path: Path) -> None:
    with trials.scene(Model(production, ENVIRONMENTS["prod"]), tmp_path) as there:
        tried = trials.everything(there)
    assert [str(one) for one in tried if one.differs] == []
    assert {(one.source.role, one.target.role, one.port) for one in tried if one.passed} >= {
        ("internet", "load-balancer", 443), ("server", "database", 5432), ("server", "internet", 443)
    }  # fmt: skip


def test_a_kernel_that_holds_another_rule_than_the_model_is_found_out(model: Model, tmp_path: Path) -> None:
    """What is loaded lacks the rule by which answers of the database come back; the model still has it."""
    topology = model.topology
    rule = next(
        one
        for one in topology.rules()
        if isinstance(one, AclRule) and (one.acl, one.egress, one.number) == ("lyceum-dev-app", False, 110)
    )
    with trials.scene(model, tmp_path) as there:
        there.vpc.load(topology.changed(rule, None))
        wrong = [one for one in trials.everything(there) if one.differs]
        counted = {one.rule: one for one in counters.read(namespaces.left(there.vpc.key))}
    assert {(one.source.role, one.target.role, one.port) for one in wrong} == {
        ("server", "database", 5432), ("server", "files", 2049)
    }  # fmt: skip
    assert "is dropped, and the model lets it pass" in str(wrong[0])
    # The kernel's own count names the rule that refused the answers, and knows the one that is gone no more.
    refusing = counted["network ACL lyceum-dev-app, in, rule 500"]
    assert (refusing.lets_pass, refusing.packets > 0) == (False, True)
    assert rule.label not in counted
    assert counted["network ACL lyceum-dev-app, in, rule 100"].packets > 0


def test_a_group_that_lets_more_pass_than_the_model_is_found_out(model: Model, tmp_path: Path) -> None:
    topology = model.topology
    database, server = topology.groups["lyceum-dev-database"], topology.groups["lyceum-dev-server"]
    wide = [
        replace(group, rules=tuple(replace(one, ports=ALL_PORTS) if one.peer == peer else one for one in group.rules))
        for group, peer in ((database, server.id), (server, database.id))
    ]
    with trials.scene(model, tmp_path) as there:
        there.vpc.load(replace(topology, groups={**topology.groups, **{one.id: one for one in wide}}))
        wrong = [one for one in trials.everything(there) if one.differs]
    # The database's own ports are behind the network ACL all the same, but for the port of the files beside it.
    assert {(one.source.role, one.target.role, one.port) for one in wrong} == {("server", "database", 2049)}
    assert "passes, and the model refuses it" in str(wrong[0])


def test_a_second_network_of_the_same_folder_is_refused_and_the_first_stays(
    development: Topology, tmp_path: Path
) -> None:
    first = Vpc(development, namespaces.key(tmp_path), {})
    try:
        first.build()
        with pytest.raises(LyceumError, match="namespaces of another run"):
            Vpc(development, namespaces.key(tmp_path), {}).build()
        assert len(namespaces.left(first.key)) == 4
    finally:
        assert clean(first.key) == 4


def test_a_host_that_goes_is_unknown_to_the_groups_that_named_it(development: Topology, tmp_path: Path) -> None:
    vpc = Vpc(development, namespaces.key(tmp_path), {})
    server = next(host for host in development.hosts if host.role == "server")
    database = next(host for host in development.hosts if host.role == "database")
    try:
        vpc.build()
        inside = vpc.attach("database", database).namespace
        vpc.attach("server", server)
        assert "10.20.16.12" in _rules(inside)
        vpc.detach("server")
        assert "10.20.16.12" not in _rules(inside)
        with pytest.raises(LyceumError, match="named database already"):
            vpc.attach("database", database)
    finally:
        clean(vpc.key)


def _rules(namespace: namespaces.Namespace) -> str:
    return subprocess.run(
        [*namespace.prefix, "nft", "list", "ruleset"], capture_output=True, text=True, check=True
    ).stdout
