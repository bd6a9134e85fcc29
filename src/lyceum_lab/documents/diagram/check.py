"""Holds the diagram against what it shows, both ways: whatever is in one and not in the other is a finding, by name.

`kinds` compares the types of resources, `flows` the rules of security groups, `acls` those of the network ACLs and
`ranges` the CIDR blocks. They take what was read from an applied environment (the state, and the topology that
`./lyceum prove network` reads from the API); types and flows can be read from the code as well, without an apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
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
    ids = {one.id for page in sheets for one in page.things}
    one_of = {kind: where[0] for kind, where in shown.items()}
    found = [
        *(f"{kind} is there and not in the diagram" for kind in applied - shown.keys() - PARTS.keys() - PLANNED),
        *(f"{kind} is drawn ({one_of[kind]}) and not there" for kind in shown.keys() - applied),
        *(f"{kind} is said to be part of {PARTS[kind][0]} and not there" for kind in PARTS.keys() - applied),
        *(f"{kind} is drawn ({one_of[kind]}) and part of {PARTS[kind][0]}" for kind in shown.keys() & PARTS.keys()),
        *(f"{kind} is drawn twice: {', '.join(where)}" for kind, where in shown.items() if len(where) > 1),
        *(f"{kind} is part of {part}, which no page has" for kind, (part, _) in PARTS.items() if part not in ids),
        *(f"{kind} is there, and the diagram says that it is planned" for kind in PLANNED & applied),
        *(f"{kind} is planned and not drawn" for kind in PLANNED - planned.keys()),
        *(f"{kind} is drawn as planned ({planned[kind]}), not listed so" for kind in planned.keys() - PLANNED),
    ]
    return sorted(found)


def _shown(sheets: tuple[Page, ...]) -> Iterator[tuple[str, str, bool]]:
    for page in sheets:
        for thing in page.things:
            for kind in thing.kinds:
                yield f"{page.id}: {thing.id}", kind, isinstance(thing, Node | Card) and thing.planned
        for edge in page.edges:
            for kind in edge.kinds:
                yield f"{page.id}: {geometry.name(edge)}", kind, False


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


def against(drawn: Iterable[Page], applied: set[str], topologies: Iterable[Topology]) -> list[str]:
    """All differences to what is applied: the types of all states together, and the environments' topologies."""
    sheets, read = tuple(drawn), tuple(topologies)
    page = next(page for page in sheets if page.id == network.PAGE)
    found = kinds(sheets, applied)
    for topology in read:
        found += flows(page, topology) + acls(page, topology)
    return found + ranges(page, read)


def unnoticed(drawn: tuple[Page, ...], applied: set[str], topologies: tuple[Topology, ...]) -> tuple[int, list[str]]:
    """Takes away each thing that counts, in the diagram and in what is applied, one at a time: how many there were, and
    those whose loss is no finding."""
    page = next(page for page in drawn if page.id == network.PAGE)
    trials = [
        *(
            (f"{page.id} without {what}", against((*drawn[:at], poorer, *drawn[at + 1 :]), applied, topologies))
            for at, page in enumerate(drawn)
            for what, poorer in _poorer(page)
        ),
        *((f"no {kind} applied", kinds(drawn, applied - {kind})) for kind in sorted(applied)),
        *(
            (f"{one.name} without {rule}", flows(page, less) + acls(page, less))
            for one in topologies
            for rule in one.rules()
            for less in [one.changed(rule, None)]
        ),
    ]
    return len(trials), [what for what, found in trials if not found]


def _poorer(page: Page) -> Iterator[tuple[str, Page]]:
    """The page without one thing that stands for a type, a flow, a rule of an ACL or a range."""
    for group in page.groups:
        if group.kinds or CIDR.search(group.label):
            yield group.id, replace(page, groups=tuple(one for one in page.groups if one is not group))
    for node in page.nodes:
        if node.kinds:
            yield node.id, replace(page, nodes=tuple(one for one in page.nodes if one is not node))
    for card in page.cards:
        if card.kinds:
            yield card.id, replace(page, cards=tuple(one for one in page.cards if one is not card))
    for edge in page.edges:
        if edge.kinds or edge.flows:
            yield geometry.name(edge), replace(page, edges=tuple(one for one in page.edges if one is not edge))
    for table in page.tables:
        if not table.id.startswith(ROWS):
            continue
        for row in range(1, len(table.rows)):
            rows = tuple(other for number, other in enumerate(table.rows) if number != row)
            fewer = tuple(replace(one, rows=rows) if one is table else one for one in page.tables)
            yield f"row {row} of {table.id}", replace(page, tables=fewer)
