"""What would spoil a page for its reader: boxes and labels that cover each other, lines that run through what they do
not belong to, lines that are neither horizontal nor vertical.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from lyceum_lab.documents.diagram.model import HEADER, Box, Edge, Group, Page, Point, block
from lyceum_lab.documents.diagram.style import GROUPS


def faults(page: Page) -> list[str]:
    """Each as one sentence; empty when the page is clean."""
    return [*_nesting(page), *_covered(page), *_lines(page), *_labels(page)]


def header(group: Group) -> Box:
    """Where a group's corner icon and label are."""
    icon = 24 if GROUPS[group.kind].icon else 0
    w, h = block(tuple(group.label.split("\n")), HEADER)
    if group.label_at:
        return Box(group.label_at.x, group.label_at.y - h / 2, w, h)
    return Box(group.box.x, group.box.y, icon + 8 + w, max(icon, h + 6))


def _nesting(page: Page) -> Iterator[str]:
    sheet = Box(0, 0, *page.size)
    groups = {one.id: one for one in page.groups}
    ids = [one.id for one in page.things]
    yield from (f"{one} is there twice" for one in sorted({one for one in ids if ids.count(one) > 1}))
    for thing in page.things:
        if thing.parent and thing.parent not in groups:
            yield f"{thing.id} lies in {thing.parent}, which is not there"
            continue
        around = groups[thing.parent].box if thing.parent else sheet
        if not around.holds(thing.box):
            yield f"{thing.id} reaches out of {thing.parent or 'the page'}"
    for node in page.nodes:
        around = groups[node.parent].box if node.parent in groups else sheet
        if not around.holds(node.text):
            yield f"the label of {node.id} reaches out of {node.parent or 'the page'}"
    for card in page.cards:
        if not card.box.holds(card.text):
            yield f"the text of {card.id} reaches out of it"
    for table in page.tables:
        placed = list(table.texts())
        for row, column, text, box in placed:
            if not table.box.holds(box):
                yield f"row {row + 1} of {table.id} ({text}) reaches out of it"
            if any(r == row and c > column and other.x < box.right for r, c, _, other in placed):
                yield f"row {row + 1} of {table.id} ({text}) runs into the next column"


def _solid(page: Page) -> list[tuple[str, str, Box]]:
    """What nothing may cover: by owner, what it is and where."""
    found = [(one.id, one.id, one.box) for one in page.things if not isinstance(one, Group)]
    found += [(one.id, f"the label of {one.id}", one.text) for one in page.nodes]
    found += [(one.id, f"the label of {one.id}", header(one)) for one in page.groups if one.label]
    return found


def _inside(page: Page, group: str, thing: str) -> bool:
    """Whether a group is around a thing, however far."""
    parents = {one.id: one.parent for one in page.things}
    while thing:
        thing = parents.get(thing, "")
        if thing == group:
            return True
    return False


def _covered(page: Page) -> Iterator[str]:
    for (owner, what, box), (other_owner, other, other_box) in combinations(_solid(page), 2):
        if box.overlaps(other_box) and owner != other_owner:
            yield f"{what} covers {other}"
    plain = [one for one in page.groups if not one.across]
    for one, two in combinations(plain, 2):
        if one.box.overlaps(two.box) and not _inside(page, one.id, two.id) and not _inside(page, two.id, one.id):
            yield f"{one.id} covers {two.id}"
    for group in page.groups:
        for owner, what, box in _solid(page):
            if owner == group.id:
                continue
            # A group is open inside, so that what it holds whole is seen; what it cuts is not.
            if group.box.overlaps(box) and not group.box.holds(box) and not _inside(page, owner, group.id):
                yield f"the border of {group.id} cuts {what}"
            if not group.across and group.box.holds(box) and not _inside(page, group.id, owner) and owner != group.id:
                spanning = next((one for one in page.groups if one.id == owner and one.across), None)
                if not spanning:
                    yield f"{what} lies in {group.id} and is not of it"


def crosses(start: Point, end: Point, box: Box) -> bool:
    """Whether a horizontal or vertical line enters a box."""
    low, high = min(start.x, end.x), max(start.x, end.x)
    top, bottom = min(start.y, end.y), max(start.y, end.y)
    return low < box.right and high > box.x and top < box.bottom and bottom > box.y


def _lines(page: Page) -> Iterator[str]:
    for edge in page.edges:
        unknown = [end for end in (edge.source, edge.target) if end not in page.boxes]
        if unknown:
            yield f"{name(edge)} ends at {unknown[0]}, which is not there"
            continue
        for start, end in pairwise(page.path(edge)):
            if start.x != end.x and start.y != end.y:
                yield f"{name(edge)} is slanted between {start.x:g},{start.y:g} and {end.x:g},{end.y:g}"
                continue
            for owner, what, box in _solid(page):
                if owner not in (edge.source, edge.target) and crosses(start, end, box):
                    yield f"{name(edge)} crosses {what}"
            # Through its own ends it may not run either: only touch them.
            for own in (edge.source, edge.target):
                if own not in {one.id for one in page.groups} and crosses(start, end, page.boxes[own]):
                    yield f"{name(edge)} runs through its own end {own}"
            for node in page.nodes:
                if node.id in (edge.source, edge.target) and crosses(start, end, node.text):
                    yield f"{name(edge)} crosses the label of {node.id}"


def _labels(page: Page) -> Iterator[str]:
    labels = [
        (edge, box)
        for edge in page.edges
        if edge.source in page.boxes and edge.target in page.boxes and (box := page.label(edge))
    ]
    sheet = Box(0, 0, *page.size)
    for edge, box in labels:
        if not sheet.holds(box):
            yield f"the label of {name(edge)} reaches out of the page"
        for _, what, solid in _solid(page):
            if box.overlaps(solid):
                yield f"the label of {name(edge)} covers {what}"
        for other in page.edges:
            if other is edge or other.source not in page.boxes or other.target not in page.boxes:
                continue
            # Two lines that share a stretch share what stands on it.
            own = list(pairwise(page.path(edge)))
            if any(crosses(*part, box) and part not in own for part in pairwise(page.path(other))):
                yield f"the label of {name(edge)} covers {name(other)}"
    for (edge, box), (other, other_box) in combinations(labels, 2):
        if box.overlaps(other_box):
            yield f"the label of {name(edge)} covers that of {name(other)}"


def name(edge: Edge) -> str:
    return f"the line from {edge.source} to {edge.target}"
