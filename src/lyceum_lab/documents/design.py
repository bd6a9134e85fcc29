"""`docs/design.md` from `docs/design.yaml`: each requirement, what was decided, where it stands, which test shows it.

A row names its tests as `place::name`, where the place is a Terraform test file, a Python test file or a proof. Whoever
names a test, a module or a decision that is not there gets an error, so the page cannot outlive what it points at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lyceum_lab import paths
from lyceum_lab.proofs.apply import PROMISES
from lyceum_ops.errors import LyceumError

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
    records: tuple[str, ...] = ()


def write() -> Path:
    """Write the page. Returns its path; raises LyceumError when a row points at nothing."""
    PAGE.write_text(page(read(SOURCE), paths.CHECKOUT))
    return PAGE


def read(source: Path) -> dict[str, list[Row]]:
    """The rows by area."""
    areas: dict[str, list[dict[str, Any]]] = yaml.safe_load(source.read_text())
    return {
        area: [
            Row(
                row["requirement"],
                row["decision"],
                _several(row["where"]),
                _several(row["shown_by"]),
                _several(row.get("record", [])),
            )
            for row in rows
        ]
        for area, rows in areas.items()
    }


def page(areas: dict[str, list[Row]], checkout: Path) -> str:
    """The page's Markdown. Raises LyceumError that lists every dead pointer."""
    faults = [fault for rows in areas.values() for row in rows for fault in _faults(row, checkout)]
    if faults:
        raise LyceumError(f"{SOURCE.name} points at what is not there: {'; '.join(faults)}.", "Mend the file.")
    parts = [HEAD]
    for area, rows in areas.items():
        parts.append(f"\n## {area}\n\n| requirement | decision | where | shown by |\n|---|---|---|---|\n")
        for row in rows:
            records = "".join(f" ([{number}]({_record(number, checkout)}))" for number in row.records)
            where = ", ".join(f"[{Path(place).name}](../{place})" for place in row.where)
            shown = "<br>".join(_test(test) for test in row.shown_by)
            parts.append(f"| {row.requirement} | {row.decision}{records} | {where} | {shown} |\n")
    return "".join(parts)


def _test(test: str) -> str:
    place, name = test.split("::")
    if place == "prove apply":
        return f"`./lyceum {place}`: {PROMISES[name]}"
    return f"[{name.replace('_', ' ').removeprefix('test ')}](../{place})"


def _record(number: str, checkout: Path) -> str:
    found = next((checkout / "docs" / "decisions").glob(f"{number}-*.md"), None)
    return f"decisions/{found.name}" if found else ""


def _faults(row: Row, checkout: Path) -> list[str]:
    """What a row points at that does not exist."""
    faults = [place for place in row.where if not (checkout / place).exists()]
    faults += [f"decision {number}" for number in row.records if not _record(number, checkout)]
    if not row.shown_by:
        faults.append(f"no test for {row.requirement!r}")
    return faults + [test for test in row.shown_by if not _exists(test, checkout)]


def _exists(test: str, checkout: Path) -> bool:
    place, _, name = test.partition("::")
    if place == "prove apply":
        return name in PROMISES
    file = checkout / place
    if not file.is_file():
        return False
    pattern = rf'^run "{re.escape(name)}"' if place.endswith(".hcl") else rf"^(async )?def {re.escape(name)}\("
    return re.search(pattern, file.read_text(), re.MULTILINE) is not None


def _several(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
