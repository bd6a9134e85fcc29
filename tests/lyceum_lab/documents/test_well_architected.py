"""docs/well-architected.md is what its source makes of it, has all six pillars, and points at what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.documents import well_architected
from lyceum_lab.documents.well_architected import PILLARS
from lyceum_ops.errors import LyceumError

ROW = {"control": "two zones", "resource": "aws_vpc", "where": "infra/modules/network", "shown_by": "prove static::tls"}


def source(folder: Path, pillars: tuple[str, ...] = PILLARS, **changed: str) -> Path:
    rows = "\n".join(f"    {name}: {value}" for name, value in {**ROW, **changed}.items())
    path = folder / "well-architected.yaml"
    path.write_text("\n".join(f"{pillar}:\n  -\n{rows}" for pillar in pillars))
    return path


def test_the_page_is_made_from_its_source() -> None:
    made = well_architected.page(well_architected.read(well_architected.SOURCE), paths.CHECKOUT)
    assert made == well_architected.PAGE.read_text(), "run ./lyceum design"


def test_an_older_page_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert well_architected.current().count(",") == len(PILLARS) - 1
    page = tmp_path / "well-architected.md"
    page.write_text(well_architected.PAGE.read_text() + "| one more |\n")
    monkeypatch.setattr(well_architected, "PAGE", page)
    with pytest.raises(LyceumError, match="is not what"):
        well_architected.current()


def test_rows_for_every_pillar_are_a_page(tmp_path: Path) -> None:
    page = well_architected.page(well_architected.read(source(tmp_path)), paths.CHECKOUT)
    assert page.count("| two zones |") == len(PILLARS)


@pytest.mark.parametrize("pillar", PILLARS)
def test_a_pillar_without_a_control_is_refused(tmp_path: Path, pillar: str) -> None:
    others = tuple(one for one in PILLARS if one != pillar)
    with pytest.raises(LyceumError, match=f"no control of {pillar}"):
        well_architected.page(well_architected.read(source(tmp_path, others)), paths.CHECKOUT)


def test_a_seventh_pillar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LyceumError, match="Beauty is no pillar"):
        well_architected.page(well_architected.read(source(tmp_path, (*PILLARS, "Beauty"))), paths.CHECKOUT)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("where", "infra/modules/nowhere", "infra/modules/nowhere"),
        ("shown_by", "prove static::nothing", "prove static::nothing"),
        ("shown_by", "prove nobody::tls", "prove nobody::tls"),
        ("shown_by", "[]", "no test for"),
    ],
)
def test_a_control_that_points_at_nothing_is_refused(tmp_path: Path, field: str, value: str, said: str) -> None:
    with pytest.raises(LyceumError, match=said):
        well_architected.page(well_architected.read(source(tmp_path, PILLARS, **{field: value})), paths.CHECKOUT)
