"""What the pages of the reference have in common: cells of tables, and what marks a page as made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Made from the code by `./lyceum docs --write`; change what it describes. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text that stays in one cell, and in which nothing outside code spans is taken for HTML."""
    spans = re.split(r"(`+ ?.*? ?`+)", " ".join(text.split()).replace("|", "\\|"))
    return "".join(span if span.startswith("`") else span.replace("<", "&lt;") for span in spans)


def code(text: str) -> str:
    """A code span that stays in one cell; "" for nothing."""
    text = " ".join(text.split())
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
