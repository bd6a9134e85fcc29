"""Documents point at what is there, and nothing in the repository names the machine or the registries behind it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lyceum_lab.documents import commands

CHECKOUT = Path(__file__).resolve().parents[1]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return [CHECKOUT / name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).exists()]


def dead_links(page: Path) -> list[str]:
    """Relative links and pictures of a Markdown page that lead nowhere, to no file or to no heading of one."""
    targets = re.findall(r"\]\(([^)\s]+)", page.read_text())
    return [target for target in targets if not re.match(r"[a-z]+:", target) and not leads(page, target)]


def leads(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    there = page.parent / name if name else page
    return there.exists() and (not anchor or there.suffix != ".md" or anchor in anchors(there))


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub makes addresses of them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_links_between_documents_lead_somewhere() -> None:
    pages = [page for page in tracked("*.md") if "samples" not in page.parts]
    assert len(pages) > 5
    assert {str(page.relative_to(CHECKOUT)): dead for page in pages if (dead := dead_links(page))} == {}


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading, here\n[there](page.md) [gone](nowhere.md) [away](https://example.org)")
    assert dead_links(page) == ["nowhere.md"]
    with page.open("a") as more:
        more.write("[here](#a-heading-here) [there](page.md#a-heading-here) [gone](#b) [gone](page.md#c)")
    assert dead_links(page) == ["nowhere.md", "#b", "page.md#c"]


def test_every_command_that_a_document_names_is_there() -> None:
    pages = [page for page in tracked("*.md") if "samples" not in page.parts]
    texts = {str(page.relative_to(CHECKOUT)): page.read_text() for page in pages}
    assert sum(1 for text in texts.values() for _ in commands.named(text)) > 100
    assert {name: wrong for name, text in texts.items() if (wrong := commands.problems(text))} == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`./lyceum upp`", "there is no upp"),
        ("`./lyceum prove packet`", "there is no packet"),
        ("`./lyceum prove network --form internet`", "network has no --form"),
        ("`./lyceum test units`", "there is no suite units"),
        ("```console\n$ sudo ./lyceum files hung --now\n```", "--now"),
        ("```console\n$ ./lyceum release dev\n```", "Missing option"),
        ("```console\n$ ./lyceum apply dev \\\n    --vars a=b\n```", "--vars"),
        ('```console\n$ eval "$(./lyceum login --otp 123456)"\n```', "--otp"),
        ("```text\nStart one with ./lyceum upp\n```", "there is no upp"),
    ],
)
def test_a_command_that_is_not_there_is_noticed(text: str, said: str) -> None:
    (wrong,) = commands.problems(text)
    assert said in wrong


@pytest.mark.parametrize(
    "text",
    [
        "`./lyceum`, `./lyceum prove …`, `./lyceum release`, `.lyceum/nothing`, `./lyceum test SUITE`",
        "```console\n$ ./lyceum cost dev | head -3 --nothing   # the dearest, it's said\n```",
        "```console\n$ sudo ./lyceum exec internet -- curl --max-time 3 http://10.20.16.4:8000/\n```",
        '```console\n$ eval "$(./lyceum login --mfa 123456)"\n```',
    ],
)
def test_what_is_there_is_let_be(text: str) -> None:
    assert commands.problems(text) == []


def test_locks_name_no_index() -> None:
    for lock in tracked("requirements/*.txt"):
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", lock.read_text()), lock.name


def test_every_suite_is_in_the_list_that_the_readme_names() -> None:
    listed = subprocess.run(
        [str(CHECKOUT / "lyceum"), "test", "--list"], capture_output=True, text=True, check=True
    ).stdout
    for suite in re.findall(r"\./lyceum test ((?:[a-z0-9]+ ?)+)`", (CHECKOUT / "README.md").read_text()):
        for name in suite.split():
            assert name in listed


def places(text: str) -> set[str]:
    """What a page names in code spans below a folder of the repository."""
    folders = "docs|functions|infra|instance|pipeline|requirements|samples|src|tests"
    return set(re.findall(rf"`((?:{folders})/[\w/.*-]*)`", text))


@pytest.mark.parametrize("name", ["docs/contributing.md", "docs/demo/script.md"])
def test_places_that_a_guide_names_are_there(name: str) -> None:
    named = places((CHECKOUT / name).read_text())
    assert len(named) > 5
    assert [place for place in sorted(named) if not any(CHECKOUT.glob(place.rstrip("/")))] == []


def test_the_tour_passes_by_every_package() -> None:
    named = places((CHECKOUT / "docs" / "contributing.md").read_text())
    packages = {f"{init.parent.relative_to(CHECKOUT)}/" for init in (CHECKOUT / "src").glob("*/*/__init__.py")}
    assert len(packages) > 10
    assert packages - named == set()
