"""A small course folder that is right, for tests to break in one place."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from lyceum.content.folder import FolderStore

Replace = Callable[[str, str, str], None]

COURSE = """\
slug: tides
title: Tides
summary: Why the sea comes and goes.
topic: Nature
level: beginner
cover: media/cover.png
published: true
sections:
  - slug: moon
    title: The moon
    lessons:
      - lessons/01.md
      - lessons/02.md
  - slug: sun
    title: The sun
    lessons: [lessons/03.md]
"""
TEXT = """\
---
title: Ebb and flow
slug: ebb-and-flow
summary: Twice a day.
---

Twice a day the sea **rises**.
"""
VIDEO = """\
---
title: The pull of the moon
slug: pull
kind: video
video: media/pull.mp4
poster: media/cover.png
captions:
  - file: captions/pull.en.vtt
    language: en
    label: English
---
"""
DOCUMENT = """\
---
title: Tide table
slug: table
kind: document
document: media/table.pdf
---
"""
CAPTIONS = """\
WEBVTT

1
00:00.000 --> 00:02.000
The moon pulls.

00:02.000 --> 01:00:04.500 align:start
The sea follows.
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
PDF = b"%PDF-1.7\n" + bytes(60)


def box(kind: bytes, content: bytes) -> bytes:
    """One box of an MP4 file."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def mp4(seconds: float, *, scale: int = 1000, version: int = 0, index_first: bool = True) -> bytes:
    """The skeleton of an MP4 file: what a reader of durations looks at, and no pictures."""
    duration = round(seconds * scale)
    if version:
        header = struct.pack(">B3xQQIQ", 1, 0, 0, scale, duration) + bytes(80)
    else:
        header = struct.pack(">B3xIIII", 0, 0, 0, scale, duration) + bytes(80)
    moov, mdat = box(b"moov", box(b"mvhd", header)), box(b"mdat", bytes(500))
    return box(b"ftyp", b"isom\0\0\2\0isom") + (moov + mdat if index_first else mdat + moov)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "tides"
    files: dict[str, bytes] = {
        "course.yaml": COURSE.encode(),
        "description.md": b"All about *tides*.\n",
        "lessons/01.md": TEXT.encode(),
        "lessons/02.md": VIDEO.encode(),
        "lessons/03.md": DOCUMENT.encode(),
        "captions/pull.en.vtt": CAPTIONS.encode(),
        "media/cover.png": PNG,
        "media/pull.mp4": mp4(90.2),
        "media/table.pdf": PDF,
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture
def replace(course: Path) -> Replace:
    """Replaces one piece of a file of the course; the piece must be there."""

    def run(name: str, old: str, new: str) -> None:
        text = (course / name).read_text()
        assert old in text
        (course / name).write_text(text.replace(old, new, 1))

    return run


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> FolderStore:
    """The content store that the command will use, in a folder of the test."""
    settings.CONTENT_URL = (tmp_path / "content").as_uri()
    return FolderStore(tmp_path / "content")
