"""Every page can be read: no line through a box, no label over another; and each such fault would be found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lyceum_lab.documents.diagram.geometry import faults
from lyceum_lab.documents.diagram.model import Box, Card, Edge, Group, Node, Page, Point, Table
from lyceum_lab.documents.diagram.pages import pages

CLEAN = Page(
    "page", "Title", "", "", (600, 400),
    groups=(Group("cloud", "cloud", "Cloud", Box(10, 60, 580, 330)),),
    cards=(
        Card("one", "One", Box(30, 120, 100, 50), (), "cloud"),
        Card("two", "Two", Box(230, 120, 100, 50), (), "cloud"),
        Card("three", "Three", Box(430, 120, 100, 50), (), "cloud"),
    ),
    nodes=(Node("icon", "ec2", "Server", Point(60, 240), "", "cloud"),),
    edges=(Edge("one", "two", ("right", 0.5), ("left", 0.5), (), "443"),),
)  # fmt: skip


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.id)
def test_a_page_is_clean(page: Page) -> None:
    assert faults(page) == []


def test_the_small_page_is_clean() -> None:
    assert faults(CLEAN) == []


def card(name: str, x: float, y: float, parent: str = "cloud") -> Card:
    return Card(name, name, Box(x, y, 100, 50), (), parent)


def edge(source: str, target: str, *via: tuple[float, float], label: str = "", at: Point | None = None) -> Edge:
    corners = tuple(Point(*one) for one in via)
    return Edge(source, target, ("right", 0.5), ("left", 0.5), corners, label, label_at=at)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (replace(CLEAN, cards=(*CLEAN.cards, card("four", 80, 140))), "one covers four"),
        (replace(CLEAN, cards=(*CLEAN.cards, card("four", 50, 272))), "four covers the label of icon"),
        (replace(CLEAN, cards=(*CLEAN.cards, card("one", 230, 300))), "one is there twice"),
        (replace(CLEAN, cards=(*CLEAN.cards, card("four", 540, 300))), "four reaches out of cloud"),
        (replace(CLEAN, cards=(*CLEAN.cards, card("four", 230, 300, ""))), "four lies in cloud and is not of it"),
        (replace(CLEAN, cards=(*CLEAN.cards, card("four", 230, 300, "vpc"))), "four lies in vpc, which is not there"),
        (
            replace(CLEAN, groups=(*CLEAN.groups, Group("space", "vpc", "", Box(180, 90, 100, 200), "cloud"))),
            "the border of space cuts two",
        ),
        (
            replace(
                CLEAN,
                groups=(
                    *CLEAN.groups,
                    Group("left", "vpc", "", Box(150, 300, 100, 60), "cloud"),
                    Group("right", "vpc", "", Box(200, 300, 100, 60), "cloud"),
                ),
            ),
            "left covers right",
        ),
        (replace(CLEAN, edges=(edge("one", "three"),)), "the line from one to three crosses two"),
        (replace(CLEAN, edges=(edge("one", "two", (180, 220)),)), "is slanted"),
        (replace(CLEAN, edges=(edge("two", "one", (345, 145), (345, 200), (345, 145)),)), "runs through its own end"),
        (replace(CLEAN, edges=(edge("one", "nobody"),)), "ends at nobody, which is not there"),
        (
            replace(CLEAN, edges=(edge("one", "two", label="443", at=Point(240, 140)),)),
            "the label of the line from one to two covers two",
        ),
        (
            replace(CLEAN, edges=(*CLEAN.edges, edge("two", "three", label="80", at=Point(180, 141)))),
            "the label of the line from two to three covers the line from one to two",
        ),
        (
            replace(CLEAN, edges=(*CLEAN.edges, edge("two", "three", label="80", at=Point(180, 133)))),
            "covers that of the line from two to three",
        ),
        (
            replace(CLEAN, edges=(edge("one", "two", label="443", at=Point(596, 30)),)),
            "reaches out of the page",
        ),
        (
            replace(CLEAN, tables=(Table("table", "", Box(230, 300, 40, 30), (0,), (("a long text",),), "cloud"),)),
            "row 1 of table (a long text) reaches out of it",
        ),
        (
            replace(
                CLEAN, tables=(Table("table", "", Box(230, 300, 200, 30), (0, 20), (("a long text", "b"),), "cloud"),)
            ),
            "runs into the next column",
        ),
        (
            replace(CLEAN, cards=(*CLEAN.cards, Card("four", "a title that is too long", Box(230, 300, 60, 40)))),
            "the text of four reaches out of it",
        ),
    ],
)
def test_each_fault_is_found(page: Page, said: str) -> None:
    found = faults(page)
    assert any(said in one for one in found), found
