"""The page of the network against a network, both ways: flows of the security groups, rules of the ACLs, ranges.

What is drawn is read from the page's own lines and words, what is there from the topology that `./lyceum prove network`
reads from the API. `flows_of_code` reads the table of flows in the code, for which nothing need be applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lyceum_lab.documents.diagram.model import Page, Table
from lyceum_lab.documents.diagram.pages.network import ANYWHERE, OPERATORS, ROWS, TIERS, Rule, tier_range
from lyceum_lab.proofs.network.topology import ANY, EVERYWHERE, PROTOCOLS, AclRule, Cidr, Topology

CIDR = re.compile(r"\b\d+\.\d+\.\d+\.\d+/\d+\b")
DEVELOPMENT = f"{ROWS}development"


# ------------------------------------------------------------------------------------------------------------- flows

Pair = tuple[str, str, str]  # who, to whom, protocol and port


def flows(page: Page, topology: Topology) -> list[str]:
    """Differences between the connections that are drawn for an environment and those that its groups allow."""
    environment = topology.name.removeprefix("lyceum-")
    drawn = {(one.source, one.target, f"tcp {one.port}") for one in page.flows if environment in one.environments}
    found = []
    # Each connection needs a rule at each of its ends inside: what the ends say is compared one by one.
    for egress, word in ((False, "in"), (True, "out")):
        there = set(_group_rules(topology, egress))
        wanted = {one for one in drawn if one[0 if egress else 1] not in {"internet", OPERATORS}}
        found += [f"{environment}: {_said(one)} is allowed ({word}) and not drawn" for one in sorted(there - wanted)]
        found += [f"{environment}: {_said(one)} is drawn and not allowed ({word})" for one in sorted(wanted - there)]
    return found


def labelled(page: Page) -> list[str]:
    """Lines and rows whose words do not name the ports of the flows they stand for."""
    said = [(flow, edge.label) for edge in page.edges for flow in edge.flows]
    for table in page.tables:
        words = " ".join([table.title, *(text for row in table.rows for text in row)])
        said += [(flow, words) for flow in table.flows]
    return [f"{flow} is drawn without its port" for flow, words in said if str(flow.port) not in _NUMBER.findall(words)]


_NUMBER = re.compile(r"\d+")
_FLOW = re.compile(r'\{ from = "(\w+)", to = "(\w+)", port = (\d+)(?:, protocol = "(\w+)")?, why = "[^"]*" \}')
# Only where interface endpoints are asked for, which neither dev nor prod does.
NOT_DRAWN = "endpoints"


def flows_of_code(page: Page, file: Path) -> list[str]:
    """Differences between the connections that are drawn for any environment and the table of flows in the code."""
    text = file.read_text()
    there = set()
    for source, target, port, protocol in _FLOW.findall(text):
        if NOT_DRAWN not in (source, target):
            there.add((_role(source), _role(target), f"{protocol or 'tcp'} {port}"))
    # Visitors are everybody with a domain, the operators without one.
    for one in [one for one in there if one[0] == "visitors"]:
        there.remove(one)
    there |= {(who, _role(target), f"{protocol or 'tcp'} {port}")
              for who, target, port, protocol in _visitors(text)}  # fmt: skip
    drawn = {(one.source, one.target, f"tcp {one.port}") for one in page.flows}
    found = [f"{_said(one)} is in {file.name} and not drawn" for one in sorted(there - drawn)]
    return found + [f"{_said(one)} is drawn and not in {file.name}" for one in sorted(drawn - there)]


def _visitors(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Flows of visitors: the first list is that without a domain, the second that with one."""
    without, _, with_domain = text.partition("] : [")
    for part, who in ((without, OPERATORS), (with_domain, "internet")):
        for source, target, port, protocol in _FLOW.findall(part):
            if source == "visitors":
                yield who, target, port, protocol


def _role(name: str) -> str:
    return name.replace("_", "-")


def _said(pair: Pair) -> str:
    return f"{pair[0]} to {pair[1]} on {pair[2]}"


def _group_rules(topology: Topology, egress: bool) -> Iterator[Pair]:
    prefix = f"{topology.name}-"
    for group in topology.groups.values():
        own = group.name.removeprefix(prefix)
        for rule in group.rules:
            if rule.egress != egress:
                continue
            if rule.cidr:
                peer = "internet" if rule.cidr == EVERYWHERE else OPERATORS
            else:
                peer = rule.peer_name.removeprefix(prefix)
            what = _protocol(rule.protocol, rule.ports)
            yield (own, peer, what) if egress else (peer, own, what)


def _protocol(protocol: int, ports: tuple[int, int]) -> str:
    name = next((name for name, number in PROTOCOLS.items() if number == protocol), f"protocol {protocol}")
    return f"{name} {_ports(ports)}"


def _ports(ports: tuple[int, int]) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


# ------------------------------------------------------------------------------------------------------ network ACLs


def drawn_rules(page: Page, environment: str) -> dict[tuple[str, str], set[Rule]]:
    """The rules as a reader sees them: by tier and direction, from the tables' words."""
    tables = {one.id: one for one in page.tables}
    found: dict[tuple[str, str], set[Rule]] = {}
    for tier in TIERS:
        table = tables.get(f"{ROWS}{tier}")
        for way, column in (("in", 0), ("out", 3)):
            found[tier, way] = set(_rows(table, column)) if table else set()
    if environment == "dev" and DEVELOPMENT in tables:
        # The table of development tells what is otherwise: the rules from the first number that it names on.
        for way, column in (("in", 6), ("out", 9)):
            other = set(_rows(tables[DEVELOPMENT], column))
            first = min((one.number for one in other), default=0)
            found["public", way] = {one for one in found["public", way] if one.number < first} | other
    return found


def _rows(table: Table, column: int) -> Iterator[Rule]:
    for row in table.rows:
        number, *rest = row[column : column + 3] if len(row) >= column + 3 else ("", "", "")
        if number.isdigit():
            yield Rule(int(number), rest[0], rest[1])


def acls(page: Page, topology: Topology) -> list[str]:
    """Differences between the rules that are drawn for an environment and those of its tiers' network ACLs."""
    environment = topology.name.removeprefix("lyceum-")
    drawn = drawn_rules(page, environment)
    tiers = {subnet.acl: subnet.tier for subnet in topology.subnets.values()}
    blocks = _tier_blocks(topology)
    there: dict[tuple[str, str], set[Rule]] = {key: set() for key in drawn}
    found = []
    for id_, tier in tiers.items():
        for rule in topology.acls[id_].rules:
            way = "out" if rule.egress else "in"
            there.setdefault((tier, way), set()).add(_rule(rule, topology, blocks))
    for (tier, way), rules in there.items():
        wanted = drawn.get((tier, way), set())
        where = f"{environment}: network ACL {tier}, {way}"
        found += [f"{where}: {' '.join(map(str, one))} is there and not drawn" for one in sorted(rules - wanted)]
        found += [f"{where}: {' '.join(map(str, one))} is drawn and not there" for one in sorted(wanted - rules)]
    return found


def _tier_blocks(topology: Topology) -> dict[Cidr, str]:
    """The block of each tier, as the page names it. Its rules name blocks, not subnets."""
    environment = topology.name.removeprefix("lyceum-")
    return {Cidr.of(tier_range(environment, tier)): tier for tier in TIERS}


def _rule(rule: AclRule, topology: Topology, blocks: dict[Cidr, str]) -> Rule:
    if rule.cidr == topology.cidr:
        peer = "VPC"
    elif rule.cidr == EVERYWHERE:
        peer = ANYWHERE
    else:
        inside = topology.cidr.holds(rule.cidr.first)
        peer = blocks.get(rule.cidr, str(rule.cidr) if inside else OPERATORS)
    if not rule.allow:
        what = "deny" if rule.protocol == ANY else f"deny {_protocol(rule.protocol, rule.ports)}"
    elif rule.protocol == PROTOCOLS["tcp"]:
        what = _ports(rule.ports)
    else:
        what = "all" if rule.protocol == ANY else _protocol(rule.protocol, rule.ports)
    return Rule(rule.number, what, peer)


# ------------------------------------------------------------------------------------------------------------ ranges


def ranges(page: Page, topologies: Iterable[Topology]) -> list[str]:
    """Differences between the ranges that the page's words name and those of the environments."""
    drawn = {one for text in page.words for one in CIDR.findall(text)} - {str(EVERYWHERE)}
    there: dict[str, str] = {}
    for topology in topologies:
        there[str(topology.cidr)] = f"the VPC of {topology.name}"
        there |= {str(one.cidr): one.name for one in topology.subnets.values()}
        for acl in {one.acl for one in topology.subnets.values()}:
            for rule in topology.acls[acl].rules:
                if topology.cidr.holds(rule.cidr.first) and rule.cidr != EVERYWHERE:
                    there.setdefault(str(rule.cidr), f"in a rule of {rule.list}")
    found = [f"{one} ({what}) is there and not drawn" for one, what in sorted(there.items()) if one not in drawn]
    return found + [f"{one} is drawn and not there" for one in sorted(drawn - there.keys())]
