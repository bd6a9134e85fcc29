"""Holds the diagram against what it shows, both ways: whatever is in one and not in the other is a finding, by name.

Here for the types of resources; for flows, rules and ranges see traffic.py. Both take what was read from an applied
environment; types and flows can be read from the code as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lyceum_lab.documents.diagram import geometry
from lyceum_lab.documents.diagram.kinds import PARTS
from lyceum_lab.documents.diagram.model import Page
from lyceum_lab.documents.diagram.pages import network, pages
from lyceum_lab.documents.diagram.traffic import acls, flows, labelled, ranges
from lyceum_lab.proofs.network.topology import Topology
from lyceum_ops import changes


def kinds(drawn: Iterable[Page], applied: set[str]) -> list[str]:
    """Differences between the types that are drawn, or are part of what is drawn, and those that are there."""
    sheets = tuple(drawn)
    shown: dict[str, list[str]] = {}
    for where, kind in _shown(sheets):
        shown.setdefault(kind, []).append(where)
    ids = {one.id for page in sheets for one in page.things}
    one_of = {kind: where[0] for kind, where in shown.items()}
    found = [
        *(f"{kind} is there and not in the diagram" for kind in applied - shown.keys() - PARTS.keys()),
        *(f"{kind} is drawn ({one_of[kind]}) and not there" for kind in shown.keys() - applied),
        *(f"{kind} is said to be part of {PARTS[kind][0]} and not there" for kind in PARTS.keys() - applied),
        *(f"{kind} is drawn ({one_of[kind]}) and part of {PARTS[kind][0]}" for kind in shown.keys() & PARTS.keys()),
        *(f"{kind} is drawn twice: {', '.join(where)}" for kind, where in shown.items() if len(where) > 1),
        *(f"{kind} is part of {part}, which no page has" for kind, (part, _) in PARTS.items() if part not in ids),
    ]
    return sorted(found)


def _shown(sheets: tuple[Page, ...]) -> Iterator[tuple[str, str]]:
    for page in sheets:
        for thing in page.things:
            for kind in thing.kinds:
                yield f"{page.id}: {thing.id}", kind
        for edge in page.edges:
            for kind in edge.kinds:
                yield f"{page.id}: {geometry.name(edge)}", kind


def kinds_of_state(shown: Mapping[str, Any]) -> set[str]:
    """Types of what `terraform show -json` lists as managed."""
    module = shown.get("values", {}).get("root_module", {})
    return {one["type"] for one in changes.resources(module, mode="managed")}


def kinds_of_code(infra: Path) -> set[str]:
    """Types of the resources that the Terraform code declares."""
    files = [file for file in infra.rglob("*.tf") if ".terraform" not in file.parts]
    return {kind for file in files for kind in re.findall(r'^resource\s+"(\w+)"', file.read_text(), re.MULTILINE)}


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
