"""Media files of a course: which kinds are let in, and how each proves that it is what its name says.

A file is admitted when its extension is known and its first bytes agree, because it will be served from the platform's
own store: neither SVG nor HTML is among them, as both can carry scripts.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MIB = 1024 * 1024
MAX_VIDEO_SECONDS = 6 * 60 * 60
_MAX_BOXES = 10_000


@dataclass(frozen=True)
class MediaType:
    """A kind of file that a course may hold. `longest` is in bytes."""

    name: str
    content_type: str
    longest: int


TYPES = {
    ".mp4": MediaType("MP4 video", "video/mp4", 2048 * MIB),
    ".webm": MediaType("WebM video", "video/webm", 2048 * MIB),
    ".png": MediaType("PNG picture", "image/png", 5 * MIB),
    ".jpg": MediaType("JPEG picture", "image/jpeg", 5 * MIB),
    ".jpeg": MediaType("JPEG picture", "image/jpeg", 5 * MIB),
    ".pdf": MediaType("PDF document", "application/pdf", 100 * MIB),
    ".vtt": MediaType("WebVTT captions", "text/vtt", 1 * MIB),
}
VIDEOS = (".mp4", ".webm")
PICTURES = (".png", ".jpg", ".jpeg")
DOCUMENTS = (".pdf",)
CAPTIONS = (".vtt",)


@dataclass(frozen=True)
class Media:
    """A file to keep in the content store. Its key holds the content's hash, so a key never changes its bytes.

    `path` is as the folder names it, `source` absolute, `size` in bytes.
    """

    path: str
    source: Path
    content_type: str
    size: int
    sha256: str

    def key(self, course_slug: str) -> str:
        """The content key, e.g. `courses/how-the-cloud-works/3f0a9b2c11d45e67-cover.png`."""
        name = re.sub(r"[^a-z0-9._-]+", "-", self.path.rsplit("/", 1)[-1].lower()).replace("..", ".")
        return f"courses/{course_slug}/{self.sha256[:16]}-{name[-80:].lstrip('.-')}"


class MalformedMediaError(ValueError):
    """The bytes are not what the name promises; the message says how."""


def looks_like(extension: str, head: bytes) -> bool:
    """Whether the first 4096 bytes of a file suit its extension."""
    if extension == ".mp4":
        return head[4:8] == b"ftyp"
    if extension == ".webm":
        return head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64]
    if extension == ".png":
        return head.startswith(b"\x89PNG\r\n\x1a\n")
    if extension in {".jpg", ".jpeg"}:
        return head.startswith(b"\xff\xd8\xff")
    if extension == ".pdf":
        return head.startswith(b"%PDF-")
    return extension == ".vtt" and head.removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex, read in pieces: a video may be larger than memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Mp4Facts:
    """`seconds` is None when the file does not say, `streamable` when the index comes before the pictures."""

    seconds: float | None
    streamable: bool


def read_mp4(path: Path) -> Mp4Facts:
    """Duration from the movie header (ISO/IEC 14496-12, `moov/mvhd`, or `moov/mvex/mehd` for fragments).

    Raises MalformedMediaError when the boxes do not add up. Reads headers only, whatever the size of the file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        seen_pictures = False
        for kind, start, end in _boxes(file, 0, size):
            if kind == b"mdat":
                seen_pictures = True
            elif kind == b"moov":
                return Mp4Facts(_movie_seconds(file, start, end), streamable=not seen_pictures)
    raise MalformedMediaError("the video has no index (moov); it was cut off or not finished")


def _movie_seconds(file: BinaryIO, start: int, end: int) -> float | None:
    scale = duration = 0
    for kind, inner, inner_end in _boxes(file, start, end):
        if kind == b"mvhd":
            file.seek(inner)
            data = file.read(32)
            long = data[:1] == b"\x01"
            if len(data) < 32 or inner_end - inner < (32 if long else 20):
                raise MalformedMediaError("the video's header (mvhd) is too short")
            scale, duration = struct.unpack_from(">IQ" if long else ">II", data, 20 if long else 12)
            if duration == (1 << (64 if long else 32)) - 1:
                duration = 0
        elif kind == b"mvex" and not duration:
            for extension, place, _ in _boxes(file, inner, inner_end):
                if extension == b"mehd":
                    file.seek(place)
                    data = file.read(12).ljust(12, b"\0")
                    (duration,) = struct.unpack_from(">Q" if data[:1] == b"\x01" else ">I", data, 4)
    if not scale:
        raise MalformedMediaError("the video's header (mvhd) is missing or gives no time scale")
    return duration / scale if duration else None


def _boxes(file: BinaryIO, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """(type, first byte of the content, end) of each box between two places."""
    found: list[tuple[bytes, int, int]] = []
    while start + 8 <= end:
        file.seek(start)
        header = file.read(16)
        size, kind = struct.unpack_from(">I4s", header)
        content = start + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            content = start + 16
        elif size == 0:
            size = end - start
        if size < content - start or start + size > end:
            raise MalformedMediaError(f"the video is cut off or damaged at byte {start}")
        found.append((kind, content, start + size))
        if len(found) > _MAX_BOXES:
            raise MalformedMediaError("the video has too many boxes to be one")
        start += size
    return found
