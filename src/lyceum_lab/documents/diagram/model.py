"""What a page of the diagram consists of, in page coordinates (pixels, y downwards). Both writers draw exactly this.

A group holds groups and nodes; a node is an AWS icon with its label; a card is a labelled box; an edge goes from one of
them to another by the points it names, horizontally and vertically only. Places are absolute everywhere: nothing is
laid out by chance, so that the two formats agree and geometry.py can judge what a reader will see.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from lyceum_lab.documents.diagram.text import width

Side = Literal["left", "right", "top", "bottom"]
LABEL, SMALL, HEADER = 14.0, 12.0, 13.5  # font sizes
LEADING = 1.25
BADGE = 20.0  # a step's number, in a circle


class Point(NamedTuple):
    x: float
    y: float


ORIGIN = Point(0, 0)


class Box(NamedTuple):
    """A rectangle by its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def middle(self) -> Point:
        return Point(self.x + self.w / 2, self.y + self.h / 2)

    def holds(self, other: Box) -> bool:
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def overlaps(self, other: Box) -> bool:
        """Whether both share more than an edge."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def on(self, side: Side, at: float) -> Point:
        """The point on a side, `at` from 0 (left or top) to 1."""
        match side:
            case "left":
                return Point(self.x, self.y + self.h * at)
            case "right":
                return Point(self.right, self.y + self.h * at)
            case "top":
                return Point(self.x + self.w * at, self.y)
            case _:
                return Point(self.x + self.w * at, self.bottom)


def block(lines: tuple[str, ...], size: float, *, bold: bool = False) -> tuple[float, float]:
    """Width and height of lines of text."""
    return max((width(line, size, bold=bold) for line in lines), default=0.0), len(lines) * size * LEADING


@dataclass(frozen=True)
class Group:
    """A box that holds others, of a kind that style.py draws. `across` marks one that spans boxes beside it, as an
    auto scaling group spans subnets: it may cross their borders, nothing else."""

    id: str
    kind: str
    label: str
    box: Box
    parent: str = ""
    kinds: tuple[str, ...] = ()
    across: bool = False
    label_at: Point | None = None  # left end and middle of the label, where it is not in the upper left corner


@dataclass(frozen=True)
class Node:
    """An AWS icon (of icons.py) with a label below or at its right; `sub` is smaller. `kinds` are the types of
    Terraform's resources that it stands for."""

    id: str
    icon: str
    label: str
    at: Point  # upper left corner of the icon
    sub: str = ""
    parent: str = ""
    size: float = 40
    beside: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def box(self) -> Box:
        return Box(*self.at, self.size, self.size)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.label.split("\n"))

    @property
    def subs(self) -> tuple[str, ...]:
        return tuple(self.sub.split("\n")) if self.sub else ()

    @property
    def text(self) -> Box:
        """Where the label is."""
        wide, high = block(self.lines, LABEL)
        wide_sub, high_sub = block(self.subs, SMALL)
        w, h = max(wide, wide_sub), high + high_sub
        if self.beside:
            return Box(self.at.x + self.size + 7, self.box.middle.y - h / 2, w, h)
        return Box(self.box.middle.x - w / 2, self.box.bottom + 4, w, h)


@dataclass(frozen=True)
class Card:
    """A box with a bold title and lines below it; with an icon at its left where one is named."""

    id: str
    title: str
    box: Box
    lines: tuple[str, ...] = ()
    parent: str = ""
    tone: str = "plain"
    icon: str = ""
    kinds: tuple[str, ...] = ()

    ICON = 30.0

    @property
    def text(self) -> Box:
        wide, high = block((self.title,), LABEL, bold=True)
        wide_sub, high_sub = block(self.lines, SMALL)
        w, h = max(wide, wide_sub), high + high_sub
        if self.icon:
            return Box(self.box.x + 10 + self.ICON + 8, self.box.middle.y - h / 2, w, h)
        return Box(self.box.middle.x - w / 2, self.box.middle.y - h / 2, w, h)

    @property
    def icon_box(self) -> Box:
        return Box(self.box.x + 10, self.box.middle.y - self.ICON / 2, self.ICON, self.ICON)


@dataclass(frozen=True)
class Table:
    """Columns of text, each at its own distance from the left; `strong` rows are bold, `red` texts red."""

    id: str
    title: str
    box: Box
    columns: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    parent: str = ""
    red: frozenset[str] = frozenset()
    strong: frozenset[int] = frozenset()
    kinds: tuple[str, ...] = ()
    frame: bool = True
    size: float = SMALL
    badges: tuple[str, ...] = ()  # a number in a circle before each row
    flows: tuple[Flow, ...] = ()

    PAD = 10.0

    @property
    def leading(self) -> float:
        return self.size * 1.4

    def place(self, row: int, column: int) -> Point:
        """Left end and middle of a text."""
        top = self.box.y + (26 if self.title else 8)
        return Point(self.box.x + self.PAD + self.columns[column], top + self.leading * (row + 0.5))

    def texts(self) -> Iterator[tuple[int, int, str, Box]]:
        for row, texts in enumerate(self.rows):
            for column, text in enumerate(texts):
                if text:
                    at = self.place(row, column)
                    w = width(text, self.size, bold=row in self.strong)
                    yield row, column, text, Box(at.x, at.y - self.size * LEADING / 2, w, self.size * LEADING)


@dataclass(frozen=True)
class Edge:
    """A line from one box to another: by `via`, leaving `out` and arriving `into` a side (side, place on it)."""

    source: str
    target: str
    out: tuple[Side, float]
    into: tuple[Side, float]
    via: tuple[Point, ...] = ()
    label: str = ""
    badge: str = ""
    label_at: Point | None = None  # middle of badge and label; else the middle of the longest part, above the line
    look: str = "call"  # style.py
    both: bool = False
    flows: tuple[Flow, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.label.split("\n")) if self.label else ()


@dataclass(frozen=True)
class Flow:
    """A connection that may be opened: who, to whom, by TCP to which port, in which environments."""

    source: str
    target: str
    port: int
    environments: frozenset[str] = frozenset({"dev", "prod"})

    def __str__(self) -> str:
        return f"{self.source} to {self.target} on {self.port}"


@dataclass(frozen=True)
class Page:
    """One page: a sheet of the .drawio and an .svg of its own."""

    id: str
    title: str
    subtitle: str
    description: str
    size: tuple[float, float]
    groups: tuple[Group, ...] = ()
    nodes: tuple[Node, ...] = ()
    cards: tuple[Card, ...] = ()
    tables: tuple[Table, ...] = ()
    edges: tuple[Edge, ...] = ()
    legend: tuple[str, ...] = ()
    legend_at: Point = ORIGIN
    boxes: dict[str, Box] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", {one.id: one.box for one in self.things})

    @property
    def things(self) -> tuple[Group | Node | Card | Table, ...]:
        """All that has a box."""
        return (*self.groups, *self.nodes, *self.cards, *self.tables)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Every connection that is drawn, by a line or a row."""
        by_line = (flow for one in self.edges for flow in one.flows)
        return (*by_line, *(flow for one in self.tables for flow in one.flows))

    @property
    def words(self) -> tuple[str, ...]:
        """Every text that a reader sees, but for title and legend."""
        return (
            *(one.label for one in self.groups),
            *(one.label for one in self.nodes),
            *(one.label for one in self.edges),
            *(one.sub for one in self.nodes),
            *(text for one in self.cards for text in (one.title, *one.lines)),
            *(text for one in self.tables for text in (one.title, *(text for row in one.rows for text in row))),
        )

    def anchor(self, name: str, side: Side, at: float) -> Point:
        """Where a line touches a box; below the label where it leaves an icon downwards."""
        node = next((one for one in self.nodes if one.id == name), None)
        if node and side == "bottom" and not node.beside:
            return Point(node.box.on(side, at).x, node.text.bottom + 2)
        return self.boxes[name].on(side, at)

    def path(self, edge: Edge) -> tuple[Point, ...]:
        """The corners of a line, ends included."""
        return (self.anchor(edge.source, *edge.out), *edge.via, self.anchor(edge.target, *edge.into))

    def label(self, edge: Edge) -> Box | None:
        """Where badge and label of a line are together; None when it has neither."""
        if not edge.label and not edge.badge:
            return None
        w, h = block(edge.lines, SMALL, bold=True)
        if edge.badge:
            w, h = w + BADGE + (4 if edge.label else 0), max(h, BADGE)
        if edge.label_at:
            x, y = edge.label_at
            return Box(x - w / 2, y - h / 2, w, h)
        corners = self.path(edge)
        start, end = max(pairwise(corners), key=lambda part: math.dist(*part))
        x, y = (start.x + end.x) / 2, (start.y + end.y) / 2
        if start.y == end.y:
            return Box(x - w / 2, y - h - 3, w, h)
        return Box(x + 4, y - h / 2, w, h)
