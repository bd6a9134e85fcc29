"""A page of the runbook: its sections, its blocks, and the commands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Verification", "Undo", "Who may run it")
THRESHOLD = "Why this threshold"
READS, CHANGES = "console", "sh"
# What takes the place of a clock when a command is only read.
SECONDS, EARLIER, NOW = "1750000000", "2025-06-15T11:00:00Z", "2025-06-15T12:00:00Z"


@dataclass(frozen=True)
class Command:
    """One command: the line it starts at, the kind of its block, the variable that keeps its answer, and itself.

    `shown` is what the page shows as its answer.
    """

    line: int
    block: str
    variable: str
    text: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """One page: `sections` by heading, in their order."""

    name: str
    text: str
    sections: dict[str, str]
    commands: tuple[Command, ...]


def read(path: Path) -> Page:
    """Parse a page."""
    return parse(path.stem, path.read_text())


def parse(name: str, text: str) -> Page:
    """Parse what a page says."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = {heading.strip(): body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}
    return Page(name, text, sections, tuple(_commands(text)))


def _commands(text: str) -> list[Command]:
    found: list[Command] = []
    block, begun, whole = "", 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            block = "" if block else line[3:].strip() or "plain"
            continue
        if block not in {READS, CHANGES}:
            continue
        if whole or line.startswith("$ "):
            begun = begun if whole else number
            whole += line.removeprefix("$ ") if not whole else f" {line.strip()}"
            if whole.endswith("\\"):
                whole = whole[:-1].rstrip()
                continue
            found.append(_command(begun, block, whole))
            whole = ""
        elif found and line:
            found[-1] = replace(found[-1], shown=(*found[-1].shown, line))
    return found


def _command(line: int, block: str, whole: str) -> Command:
    whole = re.sub(r"\s{2,}# .*$", "", whole).strip()
    if kept := re.fullmatch(r"(?:export )?([A-Z][A-Z_]*)=\$\((.+)\)", whole):
        return Command(line, block, kept[1], kept[2])
    return Command(line, block, "", whole)


def fill(text: str, known: dict[str, str]) -> str:
    """The command with clocks and variables replaced. Raises KeyError for a variable that nothing has set."""
    text = re.sub(r"\$\(date [^)]*\+%s\)", SECONDS, text)
    text = re.sub(r"\$\(date [^)]* ago'[^)]*\)", EARLIER, text)
    text = re.sub(r"\$\(date [^)]*\)", NOW, text)
    return re.sub(r"\$\{?([A-Z][A-Z_]*)\}?", lambda found: known[found[1]], text)
