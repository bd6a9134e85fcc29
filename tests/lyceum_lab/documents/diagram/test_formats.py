"""Both formats hold the same, and the .drawio is one that draw.io opens without a word."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from lyceum_lab.documents import diagram
from lyceum_lab.documents.diagram import drawio, svg
from lyceum_lab.documents.diagram.icons import ICONS
from lyceum_lab.documents.diagram.model import Node, Page
from lyceum_lab.documents.diagram.pages import pages
from lyceum_ops.errors import LyceumError

PAGES = pages()
FILE = ET.fromstring(drawio.draw(PAGES))
SVG = "{http://www.w3.org/2000/svg}"


def cells(page: Page) -> dict[str, ET.Element]:
    (found,) = (one for one in FILE.iter("diagram") if one.get("id") == page.id)
    return {str(one.get("id")): one for one in found.iter("mxCell")}


def test_the_files_are_what_the_model_makes() -> None:
    assert "5 pages" in diagram.current()


def test_it_is_a_plain_file_of_five_sheets() -> None:
    assert FILE.tag == "mxfile"
    assert FILE.get("compressed") == "false"
    assert [one.get("name") for one in FILE.iter("diagram")] == [
        "the way of a request", "the network", "delivery", "data protection and alerts", "the cloud on one machine",
    ]  # fmt: skip


def test_no_id_is_there_twice() -> None:
    ids = [one.get("id") for one in FILE.iter("mxCell")]
    assert len(ids) == len(set(ids)) > 300


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_parents_and_ends_are_there_before_they_are_named(page: Page) -> None:
    seen: set[str] = set()
    for id_, cell in cells(page).items():
        for key in ("parent", "source", "target"):
            if cell.get(key):
                assert cell.get(key) in seen, f"{id_} names {cell.get(key)} as its {key}"
        kinds = [cell.get("vertex"), cell.get("edge")].count("1")
        assert kinds == (0 if id_ in (f"{page.id}-0", f"{page.id}-1") else 1), id_
        seen.add(id_)


def place(found: dict[str, ET.Element], id_: str) -> tuple[float, float]:
    """Where a cell is on its sheet: its own place and those of the groups around it."""
    x = y = 0.0
    while id_ in found and found[id_].find("mxGeometry") is not None:
        geometry = found[id_].find("mxGeometry")
        assert geometry is not None
        x, y = x + float(geometry.get("x", 0)), y + float(geometry.get("y", 0))
        id_ = str(found[id_].get("parent"))
    return x, y


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_every_box_stands_where_the_model_has_it(page: Page) -> None:
    found = cells(page)
    for one in page.things:
        if f"{page.id}-{one.id}" in found and not (isinstance(one, Node) and ICONS[one.icon].size != (1, 1)):
            assert place(found, f"{page.id}-{one.id}") == pytest.approx((one.box.x, one.box.y)), one.id
    drawn = {f"{page.id}-{one.id}" for one in page.things if getattr(one, "frame", True)}
    assert drawn <= found.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_shapes_are_those_that_draw_io_has(page: Page) -> None:
    names = re.findall(r"mxgraph\.aws4\.(\w+)", " ".join(str(one.get("style")) for one in cells(page).values()))
    groups = {"group", "group_aws_cloud_alt", "group_region", "group_vpc2", "group_security_group", "resourceIcon"}
    assert set(names) <= groups | {icon.shape for icon in ICONS.values()}
    assert len(names) > 5


def words_of_svg(page: Page) -> set[str]:
    return {str(one.text) for one in ET.fromstring(svg.draw(page)).iter(f"{SVG}text")}


def words_of_drawio(page: Page) -> Iterator[str]:
    for cell in cells(page).values():
        for text in re.split(r"<br>", str(cell.get("value", ""))):
            if stripped := re.sub(r"<[^>]+>", "", text):
                yield unescape(stripped)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_both_say_the_same_words(page: Page) -> None:
    assert words_of_svg(page) == set(words_of_drawio(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_an_svg_is_accessible_and_asks_nobody(page: Page) -> None:
    text = svg.draw(page)
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    for id_ in str(root.get("aria-labelledby")).split():
        (named,) = (one for one in root.iter() if one.get("id") == id_)
        assert named.text
    assert "href" not in text
    assert re.findall(r"https?://", text) == ["http://"]  # the name of the format itself


def test_an_older_file_or_one_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(diagram, "DRAWIO", tmp_path / "architecture.drawio")
    monkeypatch.setattr(diagram, "FOLDER", tmp_path / "architecture")
    with pytest.raises(LyceumError, match=r"network\.svg.*\./lyceum diagram"):
        diagram.current()
    diagram.write()
    diagram.current()
    strange = tmp_path / "architecture" / "gone.svg"
    strange.write_text("<svg/>")
    with pytest.raises(LyceumError, match=r"gone\.svg"):
        diagram.current()
    diagram.write()
    assert not strange.exists()
    page = tmp_path / "architecture" / "network.svg"
    page.write_text(page.read_text().replace("10.30.16.0", "10.30.17.0"))
    with pytest.raises(LyceumError, match=r"Not what the model makes: network\.svg"):
        diagram.current()
