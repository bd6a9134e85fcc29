"""What of a page changes on its way to the site, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyceum_lab.documents.site import source
from lyceum_lab.documents.site.build import said


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    for name in ("docs/how-to/a.md", "docs/runbook/README.md", "docs/design.yaml", "docs/images/a.png", "src/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a < b\n")
    return tmp_path / "docs"


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("[code](../../src/b.py)", "[code](../files/src/b.py.html)"),
        ("[its source](../design.yaml#L3)", "[its source](../files/docs/design.yaml.html)"),
        ("[src](../../src)", "`src/`"),
        ("[the code](../../src/)", "the code (`src/`)"),
        ("[runbook](../runbook)", "[runbook](../runbook/README.md)"),
        ("![x](../images/a.png) [a](a.md#b) [up](#c) [away](https://example.org/)",) * 2,
        ("[gone](../../src/gone.py)",) * 2,
        ("```md\n[code](../../src/b.py)\n```",) * 2,
        ("Two things:\n- one\n- two\n  more\n- three", "Two things:\n\n- one\n- two\n  more\n- three"),
        ("Look:\n```text\nx\n```", "Look:\n\n```text\nx\n```"),
    ],
)
def test_a_page_on_its_way(docs: Path, tmp_path: Path, text: str, becomes: str) -> None:
    (docs / "how-to" / "a.md").write_text(text)
    source.stage(tmp_path / "out", docs)
    assert (tmp_path / "out" / "how-to" / "a.md").read_text() == becomes


def test_a_file_that_is_linked_to_comes_along_as_a_page(docs: Path, tmp_path: Path) -> None:
    (docs / "how-to" / "a.md").write_text("[code](../../src/b.py)")
    assert source.stage(tmp_path / "out", docs) == {tmp_path / "src" / "b.py"}
    page = (tmp_path / "out" / "files" / "src" / "b.py.html").read_text()
    assert "a &lt; b" in page
    assert "<h1>src/b.py</h1>" in page


def test_what_mkdocs_complains_of_is_told_whole() -> None:
    told = said("INFO    -  all is well\nWARNING -  these pages:\n  - a.md\n  - b.md\nWARNING -  a link\n")
    assert told == ["these pages: - a.md - b.md", "a link"]
