"""All pages as one .drawio: plain, uncompressed mxfile XML with draw.io's own AWS shapes, to be edited there.

What lies in a group is its child, with its place relative to it, so that a group moves with what it holds. Lines name
their ends, the points at which they touch them and their corners; badges and labels of a line are its children.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from html import escape
from itertools import pairwise

from lyceum_lab.documents.diagram.icons import ICONS
from lyceum_lab.documents.diagram.model import (
    BADGE,
    HEADER,
    LABEL,
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
    GREY,
    GROUPS,
    INK,
    RED,
    TONES,
    legend_entry,
)
from lyceum_lab.documents.diagram.text import width

_FONT = "fontFamily=Helvetica;html=1;"
_TEXT = f"text;{_FONT}strokeColor=none;fillColor=none;align=left;verticalAlign=middle;spacing=0;overflow=visible;"
_NAMED = f"{_FONT}fontSize={LABEL:g};fontColor={INK};"
_BELOW = "verticalLabelPosition=bottom;verticalAlign=top;align=center;"
_BESIDE = "labelPosition=right;align=left;verticalLabelPosition=middle;verticalAlign=middle;spacingLeft=7;"


def draw(pages: tuple[Page, ...]) -> str:
    """The whole file."""
    file = ET.Element("mxfile", host="Lyceum", compressed="false", pages=str(len(pages)))
    for page in pages:
        diagram = ET.SubElement(file, "diagram", id=page.id, name=page.title.removeprefix("Lyceum: "))
        w, h = page.size
        graph = ET.SubElement(
            diagram, "mxGraphModel", dx="0", dy="0", grid="1", gridSize="10", guides="1", tooltips="1", connect="1",
            arrows="1", fold="1", page="1", pageScale="1", pageWidth=f"{w:g}", pageHeight=f"{h:g}", math="0",
            shadow="0",
        )  # fmt: skip
        _Sheet(page, ET.SubElement(graph, "root")).draw()
    ET.indent(file, " ")
    return ET.tostring(file, encoding="unicode") + "\n"


class _Sheet:
    """One page's cells. Ids begin with the page's, as they have to be unique in the file."""

    def __init__(self, page: Page, root: ET.Element) -> None:
        self.page, self.root = page, root
        self.top = f"{page.id}-1"
        self.placed = dict(page.boxes)  # where a cell is, which for an icon that is not square is within its box
        ET.SubElement(root, "mxCell", id=f"{page.id}-0")
        ET.SubElement(root, "mxCell", {"id": self.top, "parent": f"{page.id}-0"})

    def draw(self) -> None:
        page = self.page
        self._plain_text("title", Point(24, 25), page.title, 21, bold=True)
        self._plain_text("subtitle", Point(24, 50), page.subtitle, 12.5, colour=GREY)
        for group in page.groups:
            self._group(group)
        for table in page.tables:
            self._table(table)
        for card in page.cards:
            self._card(card)
        for node in page.nodes:
            self._node(node)
        for number, edge in enumerate(page.edges):
            self._edge(f"edge-{number}", edge)
        self._legend()

    def _cell(self, name: str, value: str, style: str, box: Box, parent: str = "") -> ET.Element:
        around = self.page.boxes[parent] if parent else Box(0, 0, 0, 0)
        cell = _mx(self.root, id=f"{self.page.id}-{name}", value=value, style=style,
            parent=f"{self.page.id}-{parent}" if parent else self.top, vertex="1",
        )  # fmt: skip
        place = {"x": f"{box.x - around.x:g}", "y": f"{box.y - around.y:g}"}
        ET.SubElement(cell, "mxGeometry", **place, width=f"{box.w:g}", height=f"{box.h:g}", attrib={"as": "geometry"})
        return cell

    def _plain_text(
        self, name: str, at: Point, text: str, size: float, *, bold: bool = False, colour: str = INK, parent: str = ""
    ) -> None:
        """One line, `at` its left end and middle."""
        style = f"{_TEXT}fontSize={size:g};fontColor={colour};fontStyle={int(bold)};"
        wide, high = math.ceil(width(text, size, bold=bold)) + 2, math.ceil(size * 1.4)
        self._cell(name, escape(text), style, Box(at.x, at.y - high / 2, wide, high), parent)

    def _group(self, group: Group) -> None:
        style = GROUPS[group.kind]
        bold = int(group.kind in {"box", "host"})
        look = (
            f"{_FONT}fontSize={HEADER:g};fontStyle={bold};fontColor={style.font};strokeColor={style.stroke};"
            f"fillColor={style.fill};dashed={int(bool(style.dash))};dashPattern={style.dash or '1 0'};"
            "verticalAlign=top;align=left;whiteSpace=wrap;outlineConnect=0;container=1;pointerEvents=0;"
            "collapsible=0;recursiveResize=0;"
        )
        if style.icon:
            look = f"shape=mxgraph.aws4.group;grIcon=mxgraph.aws4.{style.icon};spacingLeft=30;{look}"
        else:
            look = f"rounded=0;spacingLeft=6;{look}"
        own = "" if group.label_at else _lines(tuple(group.label.split("\n")), ())
        self._cell(group.id, own, look, group.box, group.parent)
        if group.label_at:
            self._plain_text(f"{group.id}-label", group.label_at, group.label, HEADER, colour=style.font,
                             parent=group.parent)  # fmt: skip

    def _icon(self, name: str) -> str:
        icon = ICONS[name]
        common = "sketch=0;outlineConnect=0;gradientColor=none;aspect=fixed;"
        if not icon.service:
            return f"{common}shape=mxgraph.aws4.{icon.shape};fillColor={icon.colour};strokeColor=none;"
        tile = f"shape=mxgraph.aws4.resourceIcon;resIcon=mxgraph.aws4.{icon.shape}"
        return f"{common}{tile};fillColor={icon.colour};strokeColor=#FFFFFF;"

    def _node(self, node: Node) -> None:
        style = self._icon(node.icon) + _NAMED + (_BESIDE if node.beside else _BELOW)
        self.placed[node.id] = box = _fit(node)
        style += f"spacingTop={2 + node.box.bottom - box.bottom:g};" if not node.beside else ""
        self._cell(node.id, _lines(node.lines, node.subs), style, box, node.parent)

    def _card(self, card: Card) -> None:
        fill, stroke = TONES[card.tone]
        look = f"rounded=1;absoluteArcSize=1;arcSize=10;whiteSpace=wrap;fillColor={fill};strokeColor={stroke};"
        left = card.text.x - card.box.x
        align = f"align=left;spacingLeft={left:g};" if card.icon else "align=center;"
        self._cell(card.id, _lines((card.title,), card.lines, bold=True), f"{look}{_NAMED}verticalAlign=middle;{align}",
                   card.box, card.parent)  # fmt: skip
        if card.icon:
            style = self._icon(card.icon)
            self._cell(f"{card.id}-icon", "", style, card.icon_box, card.parent)

    def _table(self, table: Table) -> None:
        if table.frame:
            look = f"rounded=1;absoluteArcSize=1;arcSize=8;{_NAMED}fillColor=#FBFCFD;strokeColor=#C4CCD4;"
            self._cell(table.id, "", f"{look}container=0;", table.box, table.parent)
        if table.title:
            at = Point(table.box.x + table.PAD, table.box.y + 14)
            self._plain_text(f"{table.id}-title", at, table.title, 12.0, bold=True, parent=table.parent)
        for row, column, text, box in table.texts():
            self._plain_text(
                f"{table.id}-{row}-{column}", Point(box.x, box.middle.y), text, table.size, bold=row in table.strong,
                colour=RED if text in table.red else INK, parent=table.parent,
            )  # fmt: skip
        for row, badge in enumerate(table.badges):
            if badge:
                at = table.place(row, 0)
                circle = Box(at.x - 6 - BADGE, at.y - BADGE / 2, BADGE, BADGE)
                self._cell(f"{table.id}-badge-{row}", badge, _BADGE, circle, table.parent)

    def _edge(self, name: str, edge: Edge) -> None:
        style = EDGES[edge.look]
        corners = self.page.path(edge)
        look = (
            f"edgeStyle=orthogonalEdgeStyle;rounded=0;orthogonalLoop=1;jettySize=auto;{_FONT}"
            f"strokeColor={style.stroke};strokeWidth={style.width:g};endArrow=block;endFill=1;endSize=6;startSize=6;"
            f"startArrow={'block' if edge.both else 'none'};startFill=1;"
            f"dashed={int(bool(style.dash))};dashPattern={style.dash or '1 0'};"
            + self._touch("exit", edge.source, corners[0])
            + self._touch("entry", edge.target, corners[-1])
        )
        cell = _mx(self.root, id=f"{self.page.id}-{name}", value="", style=look, parent=self.top, edge="1",
            source=f"{self.page.id}-{edge.source}", target=f"{self.page.id}-{edge.target}",
        )  # fmt: skip
        geometry = ET.SubElement(cell, "mxGeometry", relative="1", attrib={"as": "geometry"})
        if edge.via:
            points = ET.SubElement(geometry, "Array", attrib={"as": "points"})
            for x, y in edge.via:
                ET.SubElement(points, "mxPoint", x=f"{x:g}", y=f"{y:g}")
        box = self.page.label(edge)
        if not box:
            return
        x = box.x
        if edge.badge:
            circle = Box(x, box.middle.y - BADGE / 2, BADGE, BADGE)
            self._on_edge(f"{name}-badge", edge.badge, _BADGE, circle, name, corners)
            x += BADGE + 4
        if edge.lines:
            high = len(edge.lines) * SMALL * 1.25
            text = Box(x, box.middle.y - high / 2, box.right - x + 1, high)
            look = f"{_TEXT}fontSize={SMALL:g};fontStyle=1;fontColor={style.stroke};labelBackgroundColor=#FFFFFF;"
            self._on_edge(f"{name}-label", "<br>".join(map(escape, edge.lines)), look, text, name, corners)

    def _touch(self, end: str, owner: str, at: Point) -> str:
        """Where a line touches a box, as shares of its size and, beyond it (below a label), an offset."""
        box = self.placed[owner]
        x = min(max((at.x - box.x) / box.w, 0), 1)
        y = min(max((at.y - box.y) / box.h, 0), 1)
        dx, dy = at.x - (box.x + x * box.w), at.y - (box.y + y * box.h)
        return f"{end}X={x:.4g};{end}Y={y:.4g};{end}Dx={dx:.4g};{end}Dy={dy:.4g};{end}Perimeter=0;"

    def _on_edge(self, name: str, value: str, style: str, box: Box, edge: str, corners: tuple[Point, ...]) -> None:
        """A child of a line: at the nearest point of it, moved from there."""
        along, nearest = _nearest(corners, box.middle)
        cell = _mx(self.root, id=f"{self.page.id}-{name}", value=value, style=style,
            parent=f"{self.page.id}-{edge}", vertex="1", connectable="0",
        )  # fmt: skip
        geometry = ET.SubElement(
            cell, "mxGeometry", x=f"{along:.4g}", y="0", width=f"{box.w:.4g}", height=f"{box.h:.4g}", relative="1",
            attrib={"as": "geometry"},
        )  # fmt: skip
        ET.SubElement(
            geometry, "mxPoint", x=f"{box.x - nearest.x:.4g}", y=f"{box.y - nearest.y:.4g}", attrib={"as": "offset"}
        )

    def _legend(self) -> None:
        x, y = self.page.legend_at
        for number, entry in enumerate(self.page.legend):
            sample, name, text = legend_entry(entry)
            if sample == "edge":
                line = EDGES[name]
                look = f"endArrow=block;endSize=5;strokeColor={line.stroke};strokeWidth={line.width:g};dashed=" + (
                    f"{int(bool(line.dash))};dashPattern={line.dash or '1 0'};"
                )
                cell = _mx(self.root, id=f"{self.page.id}-legend-{number}", value="", style=look,
                                     parent=self.top, edge="1")  # fmt: skip
                geometry = ET.SubElement(cell, "mxGeometry", relative="1", attrib={"as": "geometry"})
                ET.SubElement(geometry, "mxPoint", x=f"{x:g}", y=f"{y:g}", attrib={"as": "sourcePoint"})
                ET.SubElement(geometry, "mxPoint", x=f"{x + 26:g}", y=f"{y:g}", attrib={"as": "targetPoint"})
            else:
                if sample == "group":
                    style = GROUPS[name]
                    fill, stroke, dash = style.fill, style.stroke, style.dash
                else:
                    fill, stroke, dash = CATEGORIES[name], CATEGORIES[name], ""
                look = f"rounded=0;fillColor={fill};strokeColor={stroke};dashed={int(bool(dash))};"
                look += f"dashPattern={dash or '1 0'};"
                box = Box(x + 8, y - 7, 14, 14) if sample == "tile" else Box(x + 4, y - 7, 20, 14)
                self._cell(f"legend-{number}", "", look, box)
            self._plain_text(f"legend-{number}-text", Point(x + 32, y), text, SMALL, colour=GREY)
            x += 32 + width(text, SMALL) + 18


def _fit(node: Node) -> Box:
    """The largest box of the shape's proportions in the middle of an icon's."""
    w, h = ICONS[node.icon].size
    share = node.size / max(w, h)
    return Box(node.box.middle.x - w * share / 2, node.box.middle.y - h * share / 2, w * share, h * share)


def _mx(root: ET.Element, /, **attributes: str) -> ET.Element:
    """A cell of draw.io."""
    return ET.SubElement(root, "mxCell", attributes)


_BADGE = (
    f"shape=ellipse;{_FONT}fontSize=12;fontStyle=1;fontColor=#FFFFFF;fillColor={INK};strokeColor=none;align=center;"
    "verticalAlign=middle;spacing=0;"
)


def _lines(lines: tuple[str, ...], subs: tuple[str, ...], *, bold: bool = False) -> str:
    """A label as draw.io's HTML: lines, and smaller grey ones below."""
    text = "<br>".join(map(escape, lines))
    if bold and text:
        text = f"<b>{text}</b>"
    if not subs:
        return text
    small = "<br>".join(map(escape, subs))
    return f'{text}<br><font color="{GREY}" style="font-size: {SMALL:g}px">{small}</font>'


def _nearest(corners: tuple[Point, ...], to: Point) -> tuple[float, Point]:
    """How far along a line (-1 to 1) its nearest point lies, and that point."""
    whole = sum(math.dist(*part) for part in pairwise(corners))
    best, found, before = math.inf, (0.0, corners[0]), 0.0
    for start, end in pairwise(corners):
        x = min(max(to.x, min(start.x, end.x)), max(start.x, end.x))
        y = min(max(to.y, min(start.y, end.y)), max(start.y, end.y))
        here = Point(x, y)
        if math.dist(here, to) < best:
            best = math.dist(here, to)
            found = (2 * (before + math.dist(start, here)) / whole - 1, here)
        before += math.dist(start, end)
    return found
