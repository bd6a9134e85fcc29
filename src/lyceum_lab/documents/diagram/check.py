"""Holds the diagram against what it shows, both ways: whatever is in one and not in the other is a finding, by name.

`kinds` compares the types of resources, `flows` the rules of security groups, `acls` those of the network ACLs and
`ranges` the CIDR blocks. They take what was read from an applied environment (the state, and the topology that
`./lyceum prove network` reads from the API); types and flows can be read from the code as well, without an apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lyceum_lab.documents.diagram import geometry
from lyceum_lab.documents.diagram.kinds import PARTS, PLANNED
from lyceum_lab.documents.diagram.model import Card, Node, Page, Table
from lyceum_lab.documents.diagram.pages import network, pages
from lyceum_lab.documents.diagram.pages.network import ANYWHERE, OPERATORS, ROWS, TIERS, Rule
from lyceum_lab.proofs.network.topology import ANY, EVERYWHERE, PROTOCOLS, AclRule, Cidr, Topology

CIDR = re.compile(r"\b\d+\.\d+\.\d+\.\d+/\d+\b")
DEVELOPMENT = f"{ROWS}development"


# ------------------------------------------------------------------------------------------------ types of resources


def kinds(drawn: Iterable[Page], applied: set[str]) -> list[str]:
    """Differences between the types that are drawn, or are part of what is drawn, and those that are there."""
    sheets = tuple(drawn)
    shown: dict[str, list[str]] = {}
    planned: dict[str, str] = {}
    for where, kind, is_planned in _shown(sheets):
        if is_planned:
            planned[kind] = where
        else:
            shown.setdefault(kind, []).append(where)
    ids = {one.id for page in sheets for one in (*page.groups, *page.nodes, *page.cards, *page.tables)}
    found = [f"{kind} is there and not in the diagram" for kind in sorted(applied - shown.keys() - PARTS.keys() - PLANNED)]
    found += [f"{kind} is drawn ({shown[kind][0]}) and not there" for kind in sorted(shown.keys() - applied)]
    found += [f"{kind} is said to be part of {PARTS[kind][0]} and not there" for kind in sorted(PARTS.keys() - applied)]
    found += [f"{kind} is drawn ({shown[kind][0]}), and a part of {PARTS[kind][0]}" for kind in sorted(shown.keys() & PARTS.keys())]
    found += [f"{kind} is drawn twice: {', '.join(where)}" for kind, where in sorted(shown.items()) if len(where) > 1]
    found += [f"{kind} is part of {part}, which no page has" for kind, (part, _) in sorted(PARTS.items()) if part not in ids]
    found += [f"{kind} is there, and the diagram says that it is planned" for kind in sorted(PLANNED & applied)]
    found += [f"{kind} is planned and not drawn" for kind in sorted(PLANNED - planned.keys())]
    found += [f"{kind} is drawn as planned ({planned[kind]}) and not in the list of it" for kind in sorted(planned.keys() - PLANNED)]
    return found


def _shown(sheets: tuple[Page, ...]) -> Iterator[tuple[str, str, bool]]:
    for page in sheets:
        for one in (*page.groups, *page.nodes, *page.cards, *page.tables, *page.edges):
            named = one.id if hasattr(one, "id") else geometry.name(one)
            for kind in one.kinds:
                yield f"{page.id}: {named}", kind, isinstance(one, Node | Card) and one.planned


def kinds_of_state(shown: Mapping[str, Any]) -> set[str]:
    """Types of what `terraform show -json` lists as managed."""

    def managed(module: Mapping[str, Any]) -> Iterator[str]:
        yield from (one["type"] for one in module.get("resources", []) if one["mode"] == "managed")
        for child in module.get("child_modules", []):
            yield from managed(child)

    return set(managed(shown.get("values", {}).get("root_module", {})))


def kinds_of_code(infra: Path) -> set[str]:
    """Types of the resources that the Terraform code declares."""
    files = [file for file in infra.rglob("*.tf") if ".terraform" not in file.parts]
    return {kind for file in files for kind in re.findall(r'^resource\s+"(\w+)"', file.read_text(), re.MULTILINE)}


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
    found = []
    for edge in page.edges:
        for flow in edge.flows:
            if str(flow.port) not in re.findall(r"\d+", edge.label):
                found.append(f"the line of {flow} does not say its port")
    for table in page.tables:
        words = " ".join([table.title, *(text for row in table.rows for text in row)])
        found += [f"{table.id} does not say the port of {flow}" for flow in table.flows
                  if str(flow.port) not in re.findall(r"\d+", words)]  # fmt: skip
    return found


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
    return {Cidr.of(network.tier_range(environment, tier)): tier for tier in TIERS}


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


# ---------------------------------------------------------------------------------------------------------- together


def on_paper() -> list[str]:
    """What is wrong with the diagram itself, on each page."""
    found = [f"{page.id}: {fault}" for page in pages() for fault in geometry.faults(page)]
    return found + labelled(network_page())


def network_page() -> Page:
    """The page that shows the network."""
    return next(page for page in pages() if page.id == network.PAGE)


def against(states: Iterable[Mapping[str, Any]], topologies: Iterable[Topology]) -> list[str]:
    """All differences to applied environments, and to the account, by their states and topologies."""
    read = tuple(topologies)
    page = network_page()
    found = kinds(pages(), set().union(*(kinds_of_state(state) for state in states)))
    for topology in read:
        found += flows(page, topology) + acls(page, topology)
    return found + ranges(page, read)
