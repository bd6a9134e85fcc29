"""Takes away each thing that counts, of the diagram and of what is applied, one at a time: each is missed by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lyceum_lab.documents.diagram import geometry
from lyceum_lab.documents.diagram.check import against, kinds
from lyceum_lab.documents.diagram.model import Page
from lyceum_lab.documents.diagram.pages import network
from lyceum_lab.documents.diagram.traffic import CIDR, acls, flows
from lyceum_lab.proofs.network.topology import AclRule, Topology


@dataclass(frozen=True)
class Trial:
    """What was taken away, the words of which a finding has to have one, and what was found."""

    what: str
    names: tuple[str, ...]
    found: list[str]

    @property
    def noticed(self) -> bool:
        return any(name in one for name in self.names for one in self.found)


def run(drawn: tuple[Page, ...], applied: set[str], topologies: tuple[Topology, ...]) -> list[Trial]:
    """All trials."""
    page = next(page for page in drawn if page.id == network.PAGE)
    return [
        *(
            Trial(
                f"{sheet.id} without {what}", names, against((*drawn[:at], less, *drawn[at + 1 :]), applied, topologies)
            )
            for at, sheet in enumerate(drawn)
            for what, names, less in _poorer(sheet)
        ),
        *(Trial(f"no {kind} applied", (kind,), kinds(drawn, applied - {kind})) for kind in sorted(applied)),
        *(
            Trial(
                f"{one.name} without {rule}",
                (f": {rule.number} " if isinstance(rule, AclRule) else f"tcp {rule.ports[0]}",),
                flows(page, one.changed(rule, None)) + acls(page, one.changed(rule, None)),
            )
            for one in topologies
            for rule in one.rules()
        ),
    ]


def _poorer(page: Page) -> Iterator[tuple[str, tuple[str, ...], Page]]:
    """The page without one thing that stands for a type, a flow, a rule of an ACL or a range: what, its names, and the
    page."""
    for group in page.groups:
        if names := (*group.kinds, *CIDR.findall(group.label)):
            yield group.id, names, replace(page, groups=tuple(one for one in page.groups if one is not group))
    for node in page.nodes:
        if node.kinds:
            yield node.id, node.kinds, replace(page, nodes=tuple(one for one in page.nodes if one is not node))
    for card in page.cards:
        if card.kinds:
            yield card.id, card.kinds, replace(page, cards=tuple(one for one in page.cards if one is not card))
    for edge in page.edges:
        if names := (*edge.kinds, *(f"{one.source} to {one.target} on tcp {one.port}" for one in edge.flows)):
            yield geometry.name(edge), names, replace(page, edges=tuple(one for one in page.edges if one is not edge))
    for table in page.tables:
        for row in range(1, len(table.rows)) if table.id.startswith(network.ROWS) else ():
            names = (
                *CIDR.findall(" ".join(table.rows[row])),
                *(f": {text} " for text in table.rows[row] if text.isdigit()),
            )
            rows = tuple(other for number, other in enumerate(table.rows) if number != row)
            tables = tuple(replace(one, rows=rows) if one is table else one for one in page.tables)
            yield f"row {row} of {table.id}", names, replace(page, tables=tables)
