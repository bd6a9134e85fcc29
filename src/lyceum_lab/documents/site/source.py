"""What the site is built from: a copy of docs/, in which a link out of docs/ leads to a copy of the file it names.

On GitHub such a link opens the file; the site has to do the same without knowing where the repository is published. A
folder has no such copy: it becomes its name.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lyceum_lab import paths

DOCS = paths.CHECKOUT / "docs"
# Made from, or for, something else than the site.
NOT_SHOWN = shutil.ignore_patterns("*.yaml", "*.json")
FILES = "files"
LINK = re.compile(r"(!?)\[((?:[^\[\]`]|`[^`]*`|\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)\)")


def stage(target: Path, docs: Path = DOCS) -> set[Path]:
    """Copy docs/ to `target`. Returns the files outside docs/ that pages link to, now below `target`/files."""
    shutil.rmtree(target, ignore_errors=True)
    docs = docs.resolve()
    shutil.copytree(docs, target, ignore=NOT_SHOWN)
    shown: set[Path] = set()
    for page in sorted(target.rglob("*.md")):
        origin = docs / page.relative_to(target)
        text = outside_code(page.read_text(), partial(_links, page=origin, docs=docs, shown=shown))
        page.write_text(outside_code(text, _apart))
    for file in shown:
        copy = target / FILES / f"{file.relative_to(docs.parent)}.html"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(as_page(file, docs.parent))
    return shown


def as_page(file: Path, checkout: Path) -> str:
    """A file's text as a page of its own."""
    name, text = html.escape(str(file.relative_to(checkout))), html.escape(file.read_text(errors="replace"))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{name}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 1rem }}
h1 {{ font: 600 1.125rem/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }}
pre {{ overflow: auto; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace }}
</style>
<main><h1>{name}</h1>
<pre tabindex="0">{text}</pre></main>
</html>
"""


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with everything changed that stands in no fenced block."""
    parts = re.split(r"(^ *```.*?^ *```[^\n]*$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def _apart(text: str) -> str:
    """A list, and a block of code after what this text ends with, begin after an empty line: MkDocs wants one."""
    text = re.sub(r"^([^\s|#<-][^\n]*)\n(?=- |1\. )", r"\1\n\n", text, flags=re.MULTILINE)
    return re.sub(r"(?<=[^\n])\n\Z", "\n\n", text)


def _links(text: str, page: Path, docs: Path, shown: set[Path]) -> str:
    """The text of a page with its links as the site needs them; one that leads nowhere stays, for MkDocs to refuse."""
    docs = docs.resolve()
    checkout, up = docs.parent, "../" * (len(page.relative_to(docs).parts) - 1)

    def lead(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        name = target.partition("#")[0]
        there = (page.parent / name).resolve()
        if not name or re.match(r"[a-z]+:", target) or not there.is_relative_to(checkout):
            return found[0]
        inside = there.is_relative_to(docs)
        if there.is_dir():
            if inside and (there / "README.md").exists():
                return f"{picture}[{words}]({up}{there.relative_to(docs)}/README.md)"
            folder = f"`{there.relative_to(checkout)}/`"
            return folder if words.strip("`/") in {there.name, folder.strip("`/")} else f"{words} ({folder})"
        if there.is_file() and (not inside or NOT_SHOWN("", [there.name])):
            shown.add(there)
            return f"{picture}[{words}]({up}{FILES}/{there.relative_to(checkout)}.html)"
        return found[0]

    return LINK.sub(lead, text)
