"""The diagram shows what the code declares and the network of development has, no more and no less; each difference is
named. The applied environments are held against it by `./lyceum prove apply`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.documents.diagram import check, traffic, trials
from lyceum_lab.documents.diagram.kinds import PARTS
from lyceum_lab.documents.diagram.model import Edge, Flow, Page, Table
from lyceum_lab.documents.diagram.pages import pages
from lyceum_lab.proofs.network.topology import PROTOCOLS, Cidr, GroupRule, Topology

INFRA = paths.CHECKOUT / "infra"
FLOWS = INFRA / "platform" / "flows.tf"
KINDS = check.kinds_of_code(INFRA)


def network() -> Page:
    return check.network_page()


# ------------------------------------------------------------------------------------------------ types of resources


def test_every_type_of_the_code_is_drawn_or_part_of_what_is() -> None:
    assert len(KINDS) > 70
    assert check.kinds(pages(), KINDS) == []


def without(page_id: str, thing: str) -> tuple[Page, ...]:
    """The pages, one node less."""
    found = []
    for page in pages():
        nodes = tuple(node for node in page.nodes if (page.id, node.id) != (page_id, thing))
        found.append(replace(page, nodes=nodes))
    return tuple(found)


@pytest.mark.parametrize(
    ("page", "thing", "kind"),
    [("request-path", "progress", "aws_dynamodb_table"), ("protection", "trail", "aws_cloudtrail"),
     ("delivery", "template", "aws_launch_template")],
)  # fmt: skip
def test_a_node_that_goes_is_missed(page: str, thing: str, kind: str) -> None:
    assert f"{kind} is there and not in the diagram" in check.kinds(without(page, thing), KINDS)


def test_a_new_type_and_one_that_is_gone_are_named() -> None:
    assert check.kinds(pages(), {*KINDS, "aws_sqs_queue"}) == ["aws_sqs_queue is there and not in the diagram"]
    assert check.kinds(pages(), KINDS - {"aws_lb"}) == ["aws_lb is drawn (request-path: balancer-a) and not there"]
    assert check.kinds(pages(), KINDS - {"aws_route"}) == ["aws_route is said to be part of vpc and not there"]


def test_a_part_of_nothing_and_a_part_that_is_drawn_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PARTS", {**PARTS, "aws_route": ("nowhere", "why"), "aws_lb": ("waf", "why")})
    assert check.kinds(pages(), KINDS) == [
        "aws_lb is drawn (request-path: balancer-a) and part of waf",
        "aws_route is part of nowhere, which no page has",
    ]


def test_types_are_read_from_all_modules_of_a_state() -> None:
    child = {"resources": [{"mode": "managed", "type": "aws_vpc"}, {"mode": "data", "type": "aws_region"}]}
    state = {
        "values": {"root_module": {"resources": [{"mode": "managed", "type": "aws_eip"}], "child_modules": [child]}}
    }
    assert check.kinds_of_state(state) == {"aws_vpc", "aws_eip"}
    assert check.kinds_of_state({}) == set()


# ------------------------------------------------------------------------------------------------------ flows, rules


def test_the_flows_of_the_code_are_drawn() -> None:
    assert traffic.flows_of_code(network(), FLOWS) == []


def test_a_flow_that_is_added_to_the_code_is_named(tmp_path: Path) -> None:
    file = tmp_path / "flows.tf"
    line = '{ from = "bastion", to = "files", port = 2049, why = "a test" },'
    file.write_text(
        FLOWS.read_text().replace(
            '{ from = "bastion", to = "database"', f'{line}\n{{ from = "bastion", to = "database"'
        )
    )
    assert traffic.flows_of_code(network(), file) == ["bastion to files on tcp 2049 is in flows.tf and not drawn"]
    file.write_text(FLOWS.read_text().replace("port = 8000", "port = 8080"))
    assert traffic.flows_of_code(network(), file) == [
        "load-balancer to server on tcp 8080 is in flows.tf and not drawn",
        "load-balancer to server on tcp 8000 is drawn and not in flows.tf",
    ]


def test_development_is_drawn(development: Topology) -> None:
    page = network()
    assert traffic.flows(page, development) == []
    assert traffic.acls(page, development) == []
    # Production's ranges are on the page too, and not in this network.
    assert [one for one in traffic.ranges(page, [development]) if not one.startswith("10.30.")] == []


def test_each_rule_that_goes_is_named(development: Topology) -> None:
    rules = list(development.rules())
    assert len(rules) > 40
    for rule in rules:
        less = development.changed(rule, None)
        found = traffic.flows(network(), less) + traffic.acls(network(), less)
        assert len(found) == 1, (str(rule), found)
        assert found[0].startswith("dev: ")


def test_a_rule_that_nobody_drew_is_named(development: Topology) -> None:
    group = development.groups["lyceum-dev-bastion"]
    ssh = GroupRule("sgr-x", group.name, False, PROTOCOLS["tcp"], (22, 22), Cidr.of("0.0.0.0/0"))
    more = replace(development, groups={**development.groups, group.id: replace(group, rules=(*group.rules, ssh))})
    assert traffic.flows(network(), more) == ["dev: internet to bastion on tcp 22 is allowed (in) and not drawn"]


def test_a_range_that_changes_is_named(development: Topology) -> None:
    subnet = development.subnets["app-us-east-1a"]
    moved = replace(subnet, cidr=Cidr.of("10.20.24.0/22"))
    found = traffic.ranges(network(), [replace(development, subnets={**development.subnets, moved.id: moved})])
    assert "10.20.24.0/22 (lyceum-dev-app-us-east-1a) is there and not drawn" in found
    assert "10.20.16.0/22 is drawn and not there" in found


def test_a_flow_that_is_drawn_and_not_allowed_is_named(development: Topology) -> None:
    more = Edge("bastion", "server", ("top", 0.5), ("left", 0.5), label="22", flows=(Flow("bastion", "server", 22),))
    page = replace(network(), edges=(*network().edges, more))
    assert traffic.flows(page, development) == [
        "dev: bastion to server on tcp 22 is drawn and not allowed (in)",
        "dev: bastion to server on tcp 22 is drawn and not allowed (out)",
    ]


def test_a_line_without_its_port_is_named() -> None:
    page = network()
    assert traffic.labelled(page) == []
    silent = tuple(replace(edge, label="requests") if edge.label == "8000" else edge for edge in page.edges)
    assert traffic.labelled(replace(page, edges=silent)) == [
        "load-balancer to server on 8000 is drawn without its port"
    ]


def test_a_row_of_an_acl_that_goes_is_named(development: Topology) -> None:
    def shorter(table: Table) -> Table:
        return replace(table, rows=table.rows[:-1]) if table.id == "nacl-data" else table

    page = replace(network(), tables=tuple(map(shorter, network().tables)))
    assert traffic.acls(page, development) == ["dev: network ACL data, in: 500 deny VPC is there and not drawn"]


def test_whatever_goes_from_the_pages_or_from_development_is_missed_by_name(development: Topology) -> None:
    tried = trials.run(pages(), KINDS, (development,))
    assert len(tried) > 150
    # Production is not in this network: nobody misses its ranges here, nor its own rows of the public ACL.
    unnoticed = [one.what for one in tried if not one.noticed and not one.names[0].startswith("10.30.")]
    assert unnoticed == [f"network without row {row} of nacl-public" for row in (5, 6, 7)]
