"""A `./lyceum …` command held against the command itself: names, arguments and options as Typer knows them."""

from __future__ import annotations

from typing import Any

import typer.main

from lyceum_lab.documents.runbook.awscli import Wrong

# Commands that change nothing anywhere.
READ_ONLY = {"artifact", "cost", "doctor", "plan", "preflight", "releases", "smoke", "status", "test"}


def check(words: list[str]) -> bool:
    """Whether the command only reads. Raises Wrong for one that would be refused."""
    from lyceum_lab.cli import app

    found: Any = typer.main.get_command(app)
    words = list(words)
    name = words[0] if words else ""
    context = typer.Context(found, info_name="./lyceum")
    while hasattr(found, "commands"):
        if not words or words[0] not in found.commands:
            raise Wrong(f"there is no ./lyceum {' '.join(words[:1])}")
        found = found.commands[words.pop(0)]
        context = typer.Context(found, info_name=found.name, parent=context)
    try:
        found.parse_args(context, words)
    except Exception as error:  # typer carries click's errors inside itself; what they say is what counts
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        raise Wrong(f"./lyceum {name} would say: {message}") from error
    return name in READ_ONLY
