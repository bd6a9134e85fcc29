"""What a row of a made page points at: places of the code, decisions, and tests as `place::name`.

A place is a Terraform test file, a Python test file or a proof (`prove apply::applied`). Whoever names what is not
there gets a fault, so that no page can outlive what it points at.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from lyceum_ops.errors import LyceumError


def refuse(source: Path, faults: Iterable[str]) -> None:
    """Raise LyceumError that lists every fault of a source, if there is one."""
    if said := "; ".join(faults):
        raise LyceumError(f"{source.name} points at what is not there: {said}.", "Mend the file.")


def require_current(page: Path, made: str, source: Path) -> None:
    """Raise LyceumError where a page is not what its source makes."""
    if made != page.read_text():
        raise LyceumError(f"{page.name} is not what {source.name} makes.", "Make it with ./lyceum design.")


def places(where: Iterable[str], up: str = "../") -> str:
    """Places as Markdown links from a page that is `up` from the checkout: docs/, if not said otherwise."""
    return ", ".join(f"[{Path(place).name}]({up}{place})" for place in where)


def shown(shown_by: Iterable[str], up: str = "../") -> str:
    """Tests as Markdown links from such a page; a proof by the promise it keeps."""
    return "<br>".join(_test(test, up) for test in shown_by)


def record(number: str, checkout: Path) -> str:
    """The page of a decision below docs/, "" when there is none of that number."""
    found = next((checkout / "docs" / "decisions").glob(f"{number}-*.md"), None)
    return f"decisions/{found.name}" if found else ""


def faults(row: str, where: Iterable[str], shown_by: Iterable[str], checkout: Path) -> list[str]:
    """What the row named `row` points at that does not exist."""
    named = list(shown_by)
    found = [place for place in where if not (checkout / place).exists()]
    if not named:
        found.append(f"no test for {row!r}")
    return found + [test for test in named if not _exists(test, checkout)]


def _test(test: str, up: str) -> str:
    place, name = test.split("::")
    if place.startswith("prove "):
        return f"`./lyceum {place}`: {_promises(place)[name]}"
    return f"[{name.replace('_', ' ').removeprefix('test ')}]({up}{place})"


def _exists(test: str, checkout: Path) -> bool:
    place, _, name = test.partition("::")
    if place.startswith("prove "):
        return name in _promises(place)
    file = checkout / place
    if not file.is_file():
        return False
    pattern = rf'^run "{re.escape(name)}"' if place.endswith(".hcl") else rf"^(async )?def {re.escape(name)}\("
    return re.search(pattern, file.read_text(), re.MULTILINE) is not None


def _promises(place: str) -> dict[str, str]:
    """The promises of a proof, by name; none when there is no such proof."""
    name = place.removeprefix("prove ")
    module = f"lyceum_lab.proofs.{name}"
    if not re.fullmatch(r"[a-z_]+", name) or importlib.util.find_spec(module) is None:
        return {}
    return dict(getattr(importlib.import_module(module), "PROMISES", {}))
