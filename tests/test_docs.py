"""Documents point at what is there, and nothing in the repository names the machine or the registries behind it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return [CHECKOUT / name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).exists()]


def dead_links(page: Path) -> list[str]:
    """Relative links and pictures of a Markdown page that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    return [t for t in targets if not re.match(r"[a-z]+:", t) and not (page.parent / t).exists()]


def test_links_between_documents_lead_somewhere() -> None:
    pages = [page for page in tracked("*.md") if "samples" not in page.parts]
    assert len(pages) > 5
    assert {str(page.relative_to(CHECKOUT)): dead for page in pages if (dead := dead_links(page))} == {}


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[there](page.md) [gone](nowhere.md) [away](https://example.org)")
    assert dead_links(page) == ["nowhere.md"]


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
