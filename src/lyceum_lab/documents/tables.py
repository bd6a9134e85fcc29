"""A YAML file of rows by area, read into a dataclass: what the made pages of docs/ are made from."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lyceum_ops.errors import LyceumError

Row = TypeVar("Row")


def read(source: Path, kind: type[Row]) -> dict[str, list[Row]]:
    """The rows by area. A field that is a tuple takes one text or several. Raises LyceumError for any other form."""
    try:
        areas = yaml.safe_load(source.read_text())
    except yaml.YAMLError as error:
        raise _broken(source, f"it is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(areas, dict) or not all(isinstance(rows, list | None) for rows in areas.values()):
        raise _broken(source, "it is no table of lists")
    return {str(area): [_row(source, kind, row) for row in rows or []] for area, rows in areas.items()}


def _row(source: Path, kind: type[Row], told: Any) -> Row:
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(told, dict):
        raise _broken(source, f"{told!r} is no row")
    named = next(iter(told.values()), "")
    if more := told.keys() - known.keys():
        raise _broken(source, f"{named!r} has {', '.join(sorted(more))}, which no row has")
    if less := [name for name, one in known.items() if one.default is MISSING and name not in told]:
        raise _broken(source, f"{named!r} has no {', '.join(less)}")
    return kind(**{name: _value(known[name].type, value) for name, value in told.items()})


def _value(wanted: Any, value: Any) -> Any:
    several = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return tuple(several) if str(wanted).startswith("tuple") else " ".join(several)


def _broken(source: Path, why: str) -> LyceumError:
    return LyceumError(f"{source.name} cannot be read: {why}.", "Mend the file.")
