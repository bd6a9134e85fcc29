"""The site is whole, asks nobody but its own server, and everybody can read it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lyceum_lab.documents.site import build, source
from lyceum_ops.errors import LyceumError, Usage

pytestmark = pytest.mark.docs

PAGES = ("", "tutorial/first-course/", "reference/settings/", "runbook/latency/",
         "files/infra/platform/flows.tf.html")  # fmt: skip
# What fetches something as soon as a page is shown: everything but a link that somebody follows.
FETCHED = re.compile(
    r"""<(?!a\b)[a-z]+\b[^>]*?\b(?:src|href|data|poster)=["']?(?:[a-z]+:)?//|(?:url\(|@import )["']?(?:https?:)?//"""
)


def test_every_page_of_the_documents_is_in_it(site: Path) -> None:
    pages = [page.relative_to(source.DOCS) for page in source.DOCS.rglob("*.md")]
    assert len(pages) > 90
    for page in pages:
        home = page.parent if page.name == "README.md" else page.with_suffix("")
        assert (site / home / "index.html").exists(), page


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    files = [file for file in site.rglob("*") if file.suffix in {".html", ".css"}]
    assert {str(file): found[0] for file in files if (found := FETCHED.search(file.read_text()))} == {}


@pytest.mark.parametrize(
    "text",
    [
        '<link rel="stylesheet" href="https://fonts.example/css">',
        "<script src=//cdn.example/a.js></script>",
        "@import url('https://fonts.example/css')",
        '<img alt="" src="http://example.org/a.png">',
    ],
)
def test_what_is_fetched_from_elsewhere_is_noticed(text: str) -> None:
    assert FETCHED.search(text)
    assert not FETCHED.search('<a href="https://example.org/">there</a><img src="/a.png">')


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pages_fit_are_accessible_and_ask_nobody_else(
    chromium: Browser, address: str, axe: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status > 399 else None)
    for name in PAGES:
        page.goto(f"{address}/{name}", wait_until="networkidle")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{name} is {over} px wider than the window"] if over > 0 else []
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        faults += [f"{name}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
        assert len(found["passes"]) > 5, "axe looked at nothing"
    context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith((f"{address}/", "data:"))] == []


def test_axe_finds_what_it_should(chromium: Browser, address: str, axe: str) -> None:
    page = chromium.new_page()
    page.goto(f"{address}/")
    wrong = "<img src=assets/icon.svg><p style=color:#ddd>pale</p>"
    page.evaluate(f"document.querySelector('article').innerHTML += '{wrong}'")
    page.evaluate(axe)
    found = {one["id"] for one in page.evaluate("axe.run(document)")["violations"]}
    page.close()
    assert {"image-alt", "color-contrast"} <= found


def test_search_finds_a_command(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(f"{address}/")
    page.get_by_role("textbox", name="Search").fill("preflight")
    page.locator(".md-search-result__item a").first.wait_for()
    page.close()


def few(folder: Path) -> Path:
    """As few pages as a site has at least."""
    docs = folder / "docs"
    names = ("README", "contributing", "cost", "design", "unproven", "well-architected")
    for name in (*names, "architecture/README", "decisions/README", "runbook/README"):
        page = docs / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"# {name}\n\nA page.\n")
    shutil.copytree(source.DOCS / "assets", docs / "assets")
    return docs


def test_what_leads_nowhere_and_what_stands_nowhere_fails_the_build(tmp_path: Path) -> None:
    docs = few(tmp_path)
    built = build.build(tmp_path / "site", docs)
    assert (built / "contributing" / "index.html").exists()
    (docs / "contributing.md").write_text(
        "# Contributing\n\n[1](nowhere.md) [2](cost.md#no-such-place) [3](/absolute/) [4](../outside.md)\n"
    )
    (docs / "stray.md").write_text("# Stray\n")
    with pytest.raises(LyceumError) as refused:
        build.build(tmp_path / "site", docs)
    for said in ("nowhere.md", "no-such-place", "/absolute/", "outside", "stray.md"):
        assert said in str(refused.value)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("years of work")
    with pytest.raises(Usage, match="holds no site"):
        build.build(tmp_path)
    # Somebody's own site has a map, too.
    (tmp_path / "sitemap.xml").touch()
    with pytest.raises(Usage, match="holds no site"):
        build.build(tmp_path)
    assert kept.read_text() == "years of work"


def test_a_folder_that_cannot_be_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Usage, match="cannot be written"):
            build.build(place)
    assert (tmp_path / "file").read_text() == "a file"
