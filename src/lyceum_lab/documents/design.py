"""`docs/design.md` from `docs/design.yaml`: each requirement, what was decided, where it stands, which test shows it.

What a row points at, and that it is there, is in pointers.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents import pointers, tables

SOURCE = paths.CHECKOUT / "docs" / "design.yaml"
PAGE = paths.CHECKOUT / "docs" / "design.md"
HEAD = """\
<!-- Made from design.yaml by `./lyceum design`; change that file. -->
# Design: requirement, decision, module, proof

Each line of the mission, what was decided, where it stands and what shows it. Every test named here runs in
`./lyceum test`, which fails when one of them does: a line stands here only as long as its tests pass. What no test can
show without AWS is in [the list of the unproven](unproven.md).
"""


@dataclass(frozen=True)
class Row:
    """One requirement. `shown_by` are tests as `place::name`."""

    requirement: str
    decision: str
    where: tuple[str, ...]
    shown_by: tuple[str, ...]
    record: tuple[str, ...] = ()


def write() -> Path:
    """Write the page. Returns its path; raises LyceumError when a row points at nothing."""
    PAGE.write_text(page(read(SOURCE), paths.CHECKOUT))
    return PAGE


def read(source: Path) -> dict[str, list[Row]]:
    """The rows by area."""
    return tables.read(source, Row)


def page(areas: dict[str, list[Row]], checkout: Path) -> str:
    """The page's Markdown. Raises LyceumError that lists every dead pointer."""
    pointers.refuse(SOURCE, [fault for rows in areas.values() for row in rows for fault in _faults(row, checkout)])
    parts = [HEAD]
    for area, rows in areas.items():
        parts.append(f"\n## {area}\n\n| requirement | decision | where | shown by |\n|---|---|---|---|\n")
        for row in rows:
            records = "".join(f" ([{number}]({pointers.record(number, checkout)}))" for number in row.record)
            where, shown = pointers.places(row.where), pointers.shown(row.shown_by)
            parts.append(f"| {row.requirement} | {row.decision}{records} | {where} | {shown} |\n")
    return "".join(parts)


def _faults(row: Row, checkout: Path) -> list[str]:
    missing = [f"decision {number}" for number in row.record if not pointers.record(number, checkout)]
    return missing + pointers.faults(row.requirement, row.where, row.shown_by, checkout)
