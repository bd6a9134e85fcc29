"""All pages of the reference: made from the code, written to docs/reference, and held against what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.reference import alarms, api, commands, settings, terraform
from lyceum_ops.errors import LyceumError

FOLDER = paths.CHECKOUT / "docs" / "reference"
PAGES: dict[str, Callable[[], tuple[str, list[str]]]] = {
    "commands.md": commands.page,
    "settings.md": settings.page,
    "terraform.md": terraform.page,
    "api.md": api.page,
    "alarms.md": alarms.page,
}


def made() -> dict[str, str]:
    """Every page by its file's name. Raises LyceumError that lists all that is described nowhere."""
    found = {name: page() for name, page in PAGES.items()}
    if faults := [fault for _, told in found.values() for fault in told]:
        raise LyceumError(f"Not everything is described: {'; '.join(faults)}.", "Describe it where it is.")
    return {name: text for name, (text, _) in found.items()}


def write() -> list[Path]:
    """Write every page. Returns those that changed."""
    FOLDER.mkdir(exist_ok=True)
    changed = []
    for name, text in made().items():
        file = FOLDER / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            changed.append(file)
    return changed


def outdated() -> list[str]:
    """Pages that are not what the code makes now."""
    return [
        name for name, text in made().items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]
