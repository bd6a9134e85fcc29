"""A page as SVG: self-contained, in fonts that every browser has, on white, with a title and a description."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from lyceum_lab.documents.diagram.geometry import crosses
from lyceum_lab.documents.diagram.icons import ICONS
from lyceum_lab.documents.diagram.model import (
    BADGE,
    HEADER,
    LABEL,
    LEADING,
    SMALL,
    Box,
    Card,
    Edge,
    Group,
    Node,
    Page,
    Point,
    Table,
)
from lyceum_lab.documents.diagram.style import (
    CATEGORIES,
    EDGES,
    FONT,
    GREY,
    GROUPS,
    INK,
    PAPER,
    RED,
    TONES,
    legend_entry,
)
from lyceum_lab.documents.diagram.text import width

# Corner marks of groups, in AWS's manner: a filled square with a glyph on a grid of 24.
CORNERS = {
    "group_aws_cloud_alt": "M7.5 16a3 3 0 0 1 .3-6 4.7 4.7 0 0 1 9-.4 3.2 3.2 0 0 1 .4 6.400z",
    "group_region": "M8 19V5.500l8 2.7-8 3",
    "group_vpc2": "M7.5 14a2.6 2.6 0 0 1 .3-5.2 4.2 4.2 0 0 1 8-.4 2.8 2.8 0 0 1 .4 5.600zM9.5 14v4h5v-4",
    "group_security_group": "M8 11h8v7H8zM9.5 11V8.800a2.5 2.5 0 0 1 5 0V11",
}


def draw(page: Page) -> str:
    """The whole file."""
    w, h = page.size
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" '
        f'aria-labelledby="title description" font-family="{FONT}">',
        "<!-- Made by ./lyceum diagram from src/lyceum_lab/documents/diagram; change that. -->",
        f'<title id="title">{escape(page.title)}</title>',
        f'<desc id="description">{escape(page.description)}</desc>',
        "<defs>",
        *(_marker(name, style.stroke) for name, style in EDGES.items()),
        "</defs>",
        f'<rect width="{w:g}" height="{h:g}" fill="{PAPER}"/>',
        _text(Point(24, 32), page.title, 21, weight="700"),
        _text(Point(24, 54), page.subtitle, 12.5, fill=GREY),
        *(_group(one) for one in page.groups),
        *(_table(one) for one in page.tables),
        *(_card(one) for one in page.cards),
        *(_edge(page, one) for one in page.edges),
        *(_node(one) for one in page.nodes),
        *(_edge_label(page, one) for one in page.edges),
        *_legend(page),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0.500L10 5L0 9.500z" '
        f'fill="{colour}"/></marker>'
    )


def _text(at: Point, text: str, size: float, *, fill: str = INK, weight: str = "", anchor: str = "") -> str:
    """One line, `at` its end and baseline."""
    more = f' font-weight="{weight}"' if weight else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    return (
        f'<text x="{at.x:g}" y="{at.y:g}" font-size="{size:g}" fill="{fill}"{more}>{escape(text, quote=False)}</text>'
    )


def _lines(box: Box, lines: tuple[str, ...], subs: tuple[str, ...], *, left: bool, bold: bool = False) -> str:
    """A label in its box: lines, and smaller ones below."""
    found, y = [], box.y
    for texts, size, fill, weight in ((lines, LABEL, INK, "700" if bold else ""), (subs, SMALL, GREY, "")):
        for text in texts:
            y += size * LEADING
            at = Point(box.x if left else box.middle.x, y - size * 0.3)
            found.append(_text(at, text, size, fill=fill, weight=weight, anchor="" if left else "middle"))
    return "".join(found)


def _rect(box: Box, *, stroke: str, fill: str = "none", dash: str = "", line: float = 1.2, round_: float = 0) -> str:
    more = f' stroke-dasharray="{dash}"' if dash else ""
    more += f' rx="{round_:g}"' if round_ else ""
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.w:g}" height="{box.h:g}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{line:g}"{more}/>'
    )


def _glyph(path: str, box: Box, colour: str, *, inset: float = 0.0, line: float = 1.5) -> str:
    size = box.w * (1 - 2 * inset)
    scale = size / 24
    return (
        f'<path transform="translate({box.x + box.w * inset:g} {box.y + box.h * inset:g}) scale({scale:.4g})" '
        f'd="{path}" fill="none" stroke="{colour}" stroke-width="{line:g}" stroke-linejoin="round" '
        f'stroke-linecap="round"/>'
    )


def _icon(name: str, box: Box) -> str:
    icon = ICONS[name]
    if not icon.service:
        return _glyph(icon.glyph, box, icon.colour)
    tile = _rect(box, stroke=icon.colour, fill=icon.colour, round_=3)
    return tile + _glyph(icon.glyph, box, PAPER, inset=0.14)


def _group(group: Group) -> str:
    style = GROUPS[group.kind]
    found = _rect(group.box, stroke=style.stroke, fill=style.fill, dash=style.dash)
    left = 8.0
    if style.icon:
        corner = Box(group.box.x, group.box.y, 24, 24)
        found += _rect(corner, stroke=style.stroke, fill=style.stroke) + _glyph(CORNERS[style.icon], corner, PAPER)
        left = 31.0
    for number, line in enumerate(group.label.split("\n") if group.label else ()):
        at = group.label_at or Point(group.box.x + left, group.box.y + 12)
        weight = "700" if group.kind in {"box", "host"} else ""
        found += _text(
            Point(at.x, at.y + 4.5 + number * HEADER * LEADING), line, HEADER, fill=style.font, weight=weight
        )
    return found


def _node(node: Node) -> str:
    return _icon(node.icon, node.box) + _lines(node.text, node.lines, node.subs, left=node.beside)


def _card(card: Card) -> str:
    fill, stroke = TONES[card.tone]
    found = _rect(card.box, stroke=stroke, fill=fill, round_=5)
    if card.icon:
        found += _icon(card.icon, card.icon_box)
    return found + _lines(card.text, (card.title,), card.lines, left=bool(card.icon), bold=True)


def _table(table: Table) -> str:
    found = ""
    if table.frame:
        found += _rect(table.box, stroke="#C4CCD4", fill="#FBFCFD", round_=4)
    if table.title:
        found += _text(Point(table.box.x + table.PAD, table.box.y + 18), table.title, 12.0, weight="700")
    for row, _, text, box in table.texts():
        fill = RED if text in table.red else INK
        weight = "700" if row in table.strong else ""
        found += _text(Point(box.x, box.middle.y + table.size * 0.35), text, table.size, fill=fill, weight=weight)
    for row, badge in enumerate(table.badges):
        at = table.place(row, 0)
        found += _badge(Point(at.x - 6 - BADGE / 2, at.y), badge) if badge else ""
    return found


def _badge(middle: Point, text: str) -> str:
    return f'<circle cx="{middle.x:g}" cy="{middle.y:g}" r="{BADGE / 2:g}" fill="{INK}"/>' + _text(
        Point(middle.x, middle.y + 4.2), text, 12, fill=PAPER, weight="700", anchor="middle"
    )


def _edge(page: Page, edge: Edge) -> str:
    style = EDGES[edge.look]
    corners = " ".join(f"{x:g},{y:g}" for x, y in page.path(edge))
    more = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    more += f' marker-start="url(#{edge.look})"' if edge.both else ""
    return (
        f'<polyline points="{corners}" fill="none" stroke="{style.stroke}" stroke-width="{style.width:g}" '
        f'stroke-linejoin="round" marker-end="url(#{edge.look})"{more}/>'
    )


def _edge_label(page: Page, edge: Edge) -> str:
    box = page.label(edge)
    if not box:
        return ""
    found, x = "", box.x
    if edge.badge:
        found, x = _badge(Point(x + BADGE / 2, box.middle.y), edge.badge), x + BADGE + 4
    if edge.lines:
        high = len(edge.lines) * SMALL * LEADING
        wide = box.right - x
        # Where a label lies on its own line, the line ends behind it.
        found += (
            f'<rect x="{x - 1.5:g}" y="{box.middle.y - high / 2:g}" width="{wide + 3:g}" height="{high:g}" '
            f'fill="{PAPER}" fill-opacity="0.9"/>'
            if any(crosses(*part, box) for part in pairwise(page.path(edge)))
            else ""
        )
        y = box.middle.y - high / 2
        for line in edge.lines:
            y += SMALL * LEADING
            found += _text(Point(x, y - SMALL * 0.3), line, SMALL, weight="700", fill=EDGES[edge.look].stroke)
    return found


def _legend(page: Page) -> Iterator[str]:
    """What the lines and colours of this page mean, in one row."""
    x, y = page.legend_at
    for entry in page.legend:
        sample, name, text = legend_entry(entry)
        if sample == "edge":
            style = EDGES[name]
            dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
            yield (
                f'<line x1="{x:g}" y1="{y:g}" x2="{x + 26:g}" y2="{y:g}" stroke="{style.stroke}" '
                f'stroke-width="{style.width:g}" marker-end="url(#{name})"{dash}/>'
            )
        elif sample == "group":
            style_of = GROUPS[name]
            yield _rect(Box(x + 4, y - 7, 20, 14), stroke=style_of.stroke, fill=style_of.fill, dash=style_of.dash)
        else:
            yield _rect(Box(x + 8, y - 7, 14, 14), stroke=CATEGORIES[name], fill=CATEGORIES[name], round_=2)
        yield _text(Point(x + 32, y + 4), text, SMALL, fill=GREY)
        x += 32 + width(text, SMALL) + 18
