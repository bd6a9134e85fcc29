"""docs/design.md is what its source makes of it, and points at nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.documents import design
from lyceum_ops.errors import LyceumError


def test_the_page_is_made_from_its_source() -> None:
    assert design.page(design.read(design.SOURCE), paths.CHECKOUT) == design.PAGE.read_text(), "run ./lyceum design"


def test_every_module_has_a_line() -> None:
    named = {place for rows in design.read(design.SOURCE).values() for row in rows for place in row.where}
    modules = {f"infra/modules/{path.name}" for path in (paths.CHECKOUT / "infra" / "modules").iterdir()}
    assert modules - named == set()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("where", "infra/modules/nowhere", "infra/modules/nowhere"),
        ("record", "9999", "decision 9999"),
        ("shown_by", "infra/modules/network/tests/flows.tftest.hcl::no_such_run", "no_such_run"),
        ("shown_by", "tests/test_docs.py::test_that_nobody_wrote", "test_that_nobody_wrote"),
        ("shown_by", "prove apply::nothing", "prove apply::nothing"),
        ("shown_by", "[]", "no test for"),
    ],
)
def test_a_row_that_points_at_nothing_is_refused(tmp_path: Path, field: str, value: str, said: str) -> None:
    row = {"where": "infra/modules/network", "record": "0009", "shown_by": "prove apply::applied", field: value}
    source = tmp_path / "design.yaml"
    lines = "\n".join(f"    {name}: {one}" for name, one in row.items())
    source.write_text(f"Network:\n  - requirement: a VPC\n    decision: two zones\n{lines}\n")
    with pytest.raises(LyceumError, match=said):
        design.page(design.read(source), paths.CHECKOUT)
