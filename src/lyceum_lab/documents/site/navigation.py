"""Where each page of the site stands. Diátaxis: to learn, to get something done, to look up, to understand.

Folders are taken whole, so that a new page of one needs nothing here; a new page beside them has to be put somewhere,
and MkDocs refuses the site until it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lyceum_lab import paths
from lyceum_lab.documents.runbook import alarms

HOME = "README.md"


def navigation(source: Path, infra: Path = paths.CHECKOUT / "infra") -> list[Any]:
    """MkDocs' `nav` for a folder of pages: titles are the pages' own."""
    declared = alarms.declared(infra)
    rings = {*declared.environment, *declared.account}
    runbook = _pages(source, "runbook")
    return [
        {"Home": HOME},
        {"Tutorial": _pages(source, "tutorial")},
        {
            "How-to": [
                *_pages(source, "how-to"),
                "contributing.md",
                {
                    "Runbook": [
                        "runbook/README.md",
                        {"By alarm": [page for page in runbook if Path(page).stem in rings]},
                        {"By symptom and routine": [page for page in runbook if Path(page).stem not in rings]},
                    ]
                },
            ]
        },
        {"Reference": [*_pages(source, "reference"), "cost.md", "unproven.md"]},
        {
            "Explanation": [
                "architecture/README.md",
                "design.md",
                *_pages(source, "explanation"),
                "well-architected.md",
                {"Decisions": ["decisions/README.md", *_pages(source, "decisions")]},
                {"Demo": _pages(source, "demo")},
            ]
        },
    ]  # fmt: skip


def title(page: Path) -> str:
    """A page's first heading."""
    found = re.search(r"^# (.+)$", page.read_text(), re.MULTILINE)
    return found[1] if found else page.stem


def _pages(source: Path, folder: str) -> list[str]:
    """The pages of a folder by name, without its index."""
    return [
        str(page.relative_to(source)) for page in sorted((source / folder).glob("*.md")) if page.name != HOME
    ]  # fmt: skip
