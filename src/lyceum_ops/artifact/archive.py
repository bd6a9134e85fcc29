"""Writes a folder as a .tar.gz whose bytes depend on nothing but the files' names, contents and executable bits."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

from lyceum_ops.errors import LyceumError

_BLOCK = 0xFFFF  # the most that one stored block holds


class _Stored(io.RawIOBase):
    """A gzip stream without compression: another zlib would give other bytes, and wheels do not shrink further."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink, self._rest, self._crc, self._size = sink, bytearray(), 0, 0
        # No name, no time, no operating system.
        sink.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._crc, self._size = zlib.crc32(data, self._crc), self._size + len(data)
        self._rest += data
        while len(self._rest) > _BLOCK:
            self._block(self._rest[:_BLOCK], last=False)
            del self._rest[:_BLOCK]
        return len(data)

    def finish(self) -> None:
        self._block(self._rest, last=True)
        self._sink.write(struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))

    def _block(self, data: bytes | bytearray, *, last: bool) -> None:
        self._sink.write(struct.pack("<BHH", int(last), len(data), len(data) ^ 0xFFFF) + data)


def write(folder: Path, archive: Path, *, time: int) -> None:
    """Pack everything below `folder`, sorted by name, owned by root, with `time` (seconds since 1970) for every entry.

    Raises LyceumError for what is neither a file nor a folder.
    """
    with archive.open("wb") as sink:
        stored = _Stored(sink)
        with tarfile.open(fileobj=stored, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
                name = path.relative_to(folder).as_posix()
                if path.is_symlink() or not (path.is_dir() or path.is_file()):
                    raise LyceumError(f"{name} is neither a file nor a folder.", "Put the file itself there.")
                entry = tarfile.TarInfo(name)
                entry.mtime, entry.uname, entry.gname = time, "root", "root"
                if path.is_dir():
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
                    continue
                entry.size = path.stat().st_size
                entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                with path.open("rb") as file:
                    tar.addfile(entry, file)
        stored.finish()
