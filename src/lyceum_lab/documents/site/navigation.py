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
    """MkDocs' `nav` for a folder of pages: titles are the pages' own, and those of the runbook their names."""
    declared = alarms.declared(infra)
    rings = {*declared.environment, *declared.account}
    runbook = [{page.stem: f"runbook/{page.name}"} for page in _found(source / "runbook")]

    def one(page: str) -> dict[str, str]:
        return {title(source / page): page}

    def folder(name: str) -> list[dict[str, str]]:
        return [one(f"{name}/{page.name}") for page in _found(source / name)]

    return [
        {"Home": HOME},
        {"Tutorial": folder("tutorial")},
        {
            "How-to": [
                *folder("how-to"),
                one("contributing.md"),
                {
                    "Runbook": [
                        {"What to do, by symptom": "runbook/README.md"},
                        {"By alarm": [each for each in runbook if rings & each.keys()]},
                        {"By symptom and routine": [each for each in runbook if not rings & each.keys()]},
                    ]
                },
            ]
        },
        {"Reference": [*folder("reference"), one("cost.md"), one("unproven.md")]},
        {
            "Explanation": [
                {"Architecture": "architecture/README.md"},
                one("design.md"),
                *folder("explanation"),
                one("well-architected.md"),
                {"Decisions": [{"All of them": "decisions/README.md"}, *folder("decisions")]},
                {"Demo": folder("demo")},
            ]
        },
    ]


def title(page: Path) -> str:
    """A page's first heading."""
    found = re.search(r"^# (.+)$", page.read_text(), re.MULTILINE)
    return found[1].replace("`", "") if found else page.stem


def _found(folder: Path) -> list[Path]:
    """The pages of a folder by name, without its index."""
    return [page for page in sorted(folder.glob("*.md")) if page.name != HOME]
