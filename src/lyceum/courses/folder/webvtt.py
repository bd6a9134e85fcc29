"""WebVTT captions, checked before a learner meets them: a browser drops a malformed cue without a word.

The subset of https://www.w3.org/TR/webvtt1/#file-structure that players agree on: header, NOTE, STYLE and REGION
blocks, cues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_STAMP}[ \t]+-->[ \t]+{_STAMP}(?:[ \t]+\S.*)?[ \t]*")
_COMMENT = ("NOTE", "STYLE", "REGION")


def check(text: str) -> Iterator[tuple[int, str]]:
    """Yields (line, message) for each fault; nothing for sound captions."""
    lines = text.split("\n")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        yield 1, "captions must begin with the line WEBVTT"
        return
    if len(lines) > 1 and lines[1].strip():
        yield 2, "a blank line must follow WEBVTT"
    cues = 0
    latest = 0.0
    for first, block in _blocks(lines):
        if block[0].split(" ", 1)[0].rstrip() in _COMMENT and "-->" not in block[0]:
            continue
        at = 0 if "-->" in block[0] else 1
        if at >= len(block) or "-->" not in block[at]:
            yield first, "a cue needs a line of times such as 00:01.000 --> 00:04.000"
            continue
        match = _TIMING.fullmatch(block[at])
        if not match:
            yield first + at, "times must read MM:SS.mmm --> MM:SS.mmm or HH:MM:SS.mmm --> HH:MM:SS.mmm"
            continue
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        cues += 1
        if end <= start:
            yield first + at, "the cue ends before it starts"
        if start < latest:
            yield first + at, "the cue starts before the one above it"
        latest = max(latest, start)
        words = block[at + 1 :]
        if not any(line.strip() for line in words):
            yield first + at, "the cue has no text"
        for number, line in enumerate(words, first + at + 1):
            if "-->" in line:
                yield number, "a blank line must come before the next cue"
    if not cues:
        yield 1, "there is no cue in these captions"


def last_start(text: str) -> float:
    """When the last well-formed cue starts, in seconds; 0 without one."""
    starts = [_seconds(match.groups()[:4]) for line in text.split("\n") if (match := _TIMING.fullmatch(line))]
    return max(starts, default=0.0)


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines between blank lines after the header, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield len(lines) - len(block) + 1, block


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, millis = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + millis / 1000
