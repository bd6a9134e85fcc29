"""Rows are read as they stand; a file in any other form is told by its row and its word, and never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lyceum_lab.documents import tables
from lyceum_ops.errors import LyceumError


@dataclass(frozen=True)
class Row:
    name: str
    where: tuple[str, ...]
    number: tuple[str, ...] = ()
    why: str = ""


def written(folder: Path, text: str) -> Path:
    source = folder / "rows.yaml"
    source.write_text(text)
    return source


def test_one_or_several_of_what_there_may_be_several_of(tmp_path: Path) -> None:
    text = (
        'A:\n  - {name: one, where: here, number: "0001"}\n  - name: two\n    where: [here, there]\n    why: so\nB:\n'
    )
    assert tables.read(written(tmp_path, text), Row) == {
        "A": [Row("one", ("here",), ("0001",)), Row("two", ("here", "there"), (), "so")], "B": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: [", "it is no YAML"),
        ("- a list", "it is no table of lists"),
        ("A: a text", "it is no table of lists"),
        ("A: [a text]", "'a text' is no row"),
        ("A: [{name: one}]", "'one' has no where"),
        ("A: [{name: one, where: here, wherefore: so, how: so}]", "'one' has how, wherefore, which no row has"),
    ],
)
def test_any_other_form_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LyceumError, match=rf"rows\.yaml cannot be read: {said}"):
        tables.read(written(tmp_path, text), Row)
