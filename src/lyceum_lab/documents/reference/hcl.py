"""As much of Terraform's language as the reference needs: blocks and their arguments, by their place on the line.

`terraform fmt` decides where things stand, and a proof holds the code to it: a block begins in the first column, its
arguments two further, and whatever is deeper belongs to the argument above. No expression is understood; values are
shown as they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Block:
    """A block of a file: its kind (`variable`), its label, and each argument as written."""

    kind: str
    label: str
    arguments: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A quoted argument without its quotes; "" when it is not there."""
        written = self.arguments.get(name, "")
        return str(json.loads(written)) if written.startswith('"') else written


def blocks(file: Path, kind: str) -> list[Block]:
    """The top-level blocks of a kind in a file, in its order; none when there is no such file."""
    text = file.read_text() if file.exists() else ""
    return [
        Block(kind, found[1], dict(arguments(found[2])))
        for found in re.finditer(rf'^{kind} "([^"]+)" \{{\n(.*?)^\}}', text, re.MULTILINE | re.DOTALL)
    ]


def arguments(body: str, indent: int = 2) -> Iterator[tuple[str, str]]:
    """Names and values of a block's body whose arguments stand `indent` columns in; nested blocks are left out."""
    name, lines = "", [""]
    for line in body.splitlines():
        begins = re.match(rf" {{{indent}}}([\w-]+)\s*= (.*)$", line)
        if begins or re.match(rf" {{{indent}}}[\w#]", line):
            if name:
                yield name, _value(lines)
            name, lines = (begins[1], [begins[2]]) if begins else ("", [""])
        elif name:
            lines.append(line)
    if name:
        yield name, _value(lines)


def table(text: str, name: str) -> dict[str, dict[str, str]]:
    """The entries of a map of objects that a file assigns to `name`: key → its arguments as written."""
    body = re.search(rf"^( *){name} = \{{\n(.*?)^\1\}}", text, re.MULTILINE | re.DOTALL)
    if not body:
        return {}
    indent = len(body[1]) + 2
    found = re.finditer(rf"^ {{{indent}}}([a-z][\w-]*)\s*= \{{\n(.*?)^ {{{indent}}}\}}", body[2], re.M | re.S)
    return {each[1]: dict(arguments(each[2], indent + 2)) for each in found}


def _value(lines: list[str]) -> str:
    """A value on one line: without comments, and with the commas that the ends of its lines stand for."""
    told = [re.sub(r"(^|\s)#.*$", "", line).strip() if '"' not in line else line.strip() for line in lines]
    value = ""
    for line in filter(None, told):
        open_ended = not value or value.endswith(("{", "(", "[", ","))
        value += line if not value else f" {line}" if open_ended or line[0] in "})]:?&|" else f", {line}"
    return value
