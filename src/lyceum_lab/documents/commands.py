"""Every `./lyceum …` that a document names, held against the command itself, so that no page can outlive a flag.

A line of a fenced block that begins with `$ ` is a command that a reader types: it has to be taken as it stands. All
else, in blocks and in code spans, is a mention, which may leave arguments away: its command, its flags and the suites
that it names have to be there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer.main

from lyceum_lab import suites
from lyceum_lab.documents.runbook import command
from lyceum_lab.documents.runbook.awscli import Wrong

NAME = "./lyceum"
# What stands for the rest of a mention.
AND_SO_ON = {"…", "..."}


@dataclass(frozen=True)
class Named:
    """One occurrence: its line, whether a reader types it, and the words after `./lyceum`."""

    line: int
    typed: bool
    words: tuple[str, ...]


def problems(text: str) -> list[str]:
    """What is wrong with the commands of a Markdown page, one line each; empty when nothing is."""
    told = []
    for one in named(text):
        try:
            if one.typed:
                command.check(list(one.words))
            _mentioned(one.words)
        except Wrong as wrong:
            told.append(f"line {one.line}: {' '.join((NAME, *one.words))}: {wrong}")
    return told


def named(text: str) -> Iterator[Named]:
    """Every occurrence in a Markdown page, in its order."""
    fenced, whole, begun = False, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced, whole = not fenced, ""
        elif fenced:
            begun, whole = (begun, f"{whole} {line.strip()}") if whole else (number, line)
            if whole.endswith("\\"):
                whole = whole[:-1]
                continue
            yield from _in(whole, begun, typed=whole.lstrip().startswith("$ "))
            whole = ""
        else:
            for span in re.findall(r"`([^`]+)`", line):
                yield from _in(span, number, typed=False)


def _in(text: str, line: int, *, typed: bool) -> Iterator[Named]:
    for found in re.finditer(rf"(?<!\S)(?:[^\s#]*\()?{re.escape(NAME)}(?![\w/.])", text.partition("  # ")[0]):
        yield Named(line, typed, tuple(_words(text[found.end() :])))


def _words(text: str) -> Iterator[str]:
    """The words of one command, up to a comment or to what the shell does next."""
    reader = shlex.shlex(text, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    while True:
        try:
            word = reader.get_token()
        except ValueError:  # a quotation that began before the command ends after it
            return
        if word is None or set(word) <= set("();<>|&"):
            return
        yield word


def _mentioned(words: tuple[str, ...]) -> None:
    """Raise Wrong where a command, a flag or a suite is named that is not there."""
    found, left = _tree(), list(words)
    while left and hasattr(found, "commands") and left[0] not in AND_SO_ON and not left[0].startswith("-"):
        if left[0] not in found.commands:
            raise Wrong(f"there is no {left[0]}")
        found = found.commands[left.pop(0)]
    flags = {flag for each in found.params for flag in (*each.opts, *each.secondary_opts)} | {"-h", "--help"}
    suite_names = {suite.name for suite in suites.SUITES} | set(suites.GROUPS)
    for word in left:
        if word == "--":
            return
        if re.match(r"--?[a-zA-Z]", word):
            if word.partition("=")[0] not in flags:
                raise Wrong(f"{found.name} has no {word}")
        elif found.name == "test" and word not in suite_names | AND_SO_ON and not word.isupper():
            raise Wrong(f"there is no suite {word}")


@cache
def _tree() -> Any:
    from lyceum_lab.cli import app

    return typer.main.get_command(app)
