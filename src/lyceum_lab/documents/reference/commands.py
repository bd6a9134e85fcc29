"""`docs/reference/commands.md`: every command of `./lyceum` with its arguments and options, as Typer knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from lyceum_lab.documents.reference import markdown

HEAD = f"""{markdown.MADE}
# Commands

`--help` after a command says the same. Exit codes: 0, all is well; 1, it failed or something is
wrong; 2, it was asked for in a way that it does not understand; 130, interrupted.
"""


def page() -> tuple[str, list[str]]:
    """The page, and what of the command has no description."""
    from lyceum_lab.cli import app

    root = typer.main.get_command(app)
    parts, faults = [HEAD], []
    panels: dict[str, list[tuple[str, Any]]] = {}
    for name, command in leaves(root):
        panels.setdefault(str(command.rich_help_panel if " " not in name else "Check"), []).append((name, command))
    for panel, commands in panels.items():
        parts.append(f"\n## {panel}\n")
        for name, command in commands:
            parts.append(_section(name, command))
            faults += undescribed(name, command)
    return "".join(parts), faults


def leaves(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, f"{prefix}{name} ")
        elif not command.hidden:
            yield f"{prefix}{name}", command


def undescribed(name: str, command: Any) -> list[str]:
    """What of a command has no help text."""
    faults = [] if command.help else [f"./lyceum {name} has no help text"]
    return faults + [f"./lyceum {name}: {_spelt(each)[0]} has no help text" for each in command.params if not each.help]


def _section(name: str, command: Any) -> str:
    paragraphs = "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))
    positional = [each for each in command.params if not _is_option(each)]
    options = ["[OPTIONS]"] if len(positional) < len(command.params) else []
    usage = " ".join(("./lyceum", name, *options, *(_placeholder(each) for each in positional)))
    part = f"\n### {name}\n\n{paragraphs}\n\n```text\n{usage}\n```\n"
    context = typer.Context(command, info_name=name)
    rows = [(_first(each, context), _meaning(each)) for each in command.params]
    return part + (f"\n{markdown.table(('argument or option', 'meaning'), rows)}" if rows else "")


def _is_option(each: Any) -> bool:
    return bool(each.opts[0].startswith("-"))


def _placeholder(each: Any) -> str:
    word = (each.metavar or each.name.upper()).strip("[]")
    many = "..." if each.nargs < 0 and not each.metavar else ""
    return f"{word}{many}" if each.required else f"[{word}]{many}"


def _spelt(each: Any) -> list[str]:
    return [*each.opts, *each.secondary_opts] if _is_option(each) else [_placeholder(each).strip("[].")]


def _first(each: Any, context: Any) -> str:
    value = ""
    if _is_option(each) and not each.is_flag:
        kind = each.display_type_rich(context).strip("<>").removesuffix(" range").upper()
        value = " " + markdown.code(re.sub(r"^LIST\[(.*)\]$", r"\1", kind))
    return ", ".join(markdown.code(word) for word in _spelt(each)) + value


def _meaning(each: Any) -> str:
    said = [each.help or ""]
    if each.required:
        said.append("Required.")
    elif not getattr(each, "is_flag", False) and each.default not in (None, "", [], ()):
        said.append(f"Default: {markdown.code(str(each.default))}.")
    if each.envvar:
        said.append(f"Also from {markdown.code(str(each.envvar))}.")
    return " ".join(said)
