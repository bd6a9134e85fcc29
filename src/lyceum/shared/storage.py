"""The file tree of SHARED_FILES_DIR: on a server a network file system that every server mounts, on a laptop a folder.

    <root>/<course id>/<file id>      the bytes
    <root>/.incoming/<random>         what is being written; renamed when it is whole

Each call is bounded in time: a file system that hangs costs a page some seconds once, then nothing, and never the rest
of the site (`lyceum.web.bounded`).
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar
from uuid import UUID

from django.conf import settings

from lyceum.shared.errors import FileMissingError, StorageUnavailableError
from lyceum.web.bounded import Bulkhead, NotAnsweringError

T = TypeVar("T")
INCOMING = ".incoming"


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes that were written and belong to no course yet."""

    token: str
    size: int
    sha256: str


class Storage(Protocol):
    """Raises FileMissingError for a file that is not there, and OSError."""

    def probe(self) -> None:
        """Raises OSError unless files can be read and written."""

    def receive(self, chunks: Iterable[bytes]) -> Received:
        """Write the bytes where nobody sees them."""

    def publish(self, received: Received, *, course_id: int, file_id: UUID) -> None:
        """Make them the course's file, whole."""

    def discard(self, received: Received) -> None: ...

    def open(self, *, course_id: int, file_id: UUID) -> BinaryIO: ...

    def read(self, file: BinaryIO, count: int) -> bytes: ...

    def delete(self, *, course_id: int, file_id: UUID) -> None:
        """Nothing happens when it is not there."""


class FolderStorage:
    """The tree, by the operating system's own calls."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, course_id: int, file_id: UUID) -> Path:
        return self.root / str(int(course_id)) / str(UUID(str(file_id)))

    def _incoming(self, token: str) -> Path:
        return self.root / INCOMING / token

    def probe(self) -> None:
        # Asks the file system's server, which a mere stat of the mount point may not.
        os.statvfs(self.root)
        # The folder below a file system that is not mounted belongs to root: nothing may be written there.
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"{self.root} cannot be written.")

    def receive(self, chunks: Iterable[bytes]) -> Received:
        self.probe()
        token, size, digest = secrets.token_hex(16), 0, hashlib.sha256()
        path = self._incoming(token)
        path.parent.mkdir(mode=0o750, exist_ok=True)
        try:
            with path.open("xb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(token, size, digest.hexdigest())

    def publish(self, received: Received, *, course_id: int, file_id: UUID) -> None:
        path = self._path(course_id, file_id)
        path.parent.mkdir(mode=0o750, exist_ok=True)
        self._incoming(received.token).rename(path)

    def discard(self, received: Received) -> None:
        self._incoming(received.token).unlink(missing_ok=True)

    def open(self, *, course_id: int, file_id: UUID) -> BinaryIO:
        try:
            return self._path(course_id, file_id).open("rb")
        except FileNotFoundError as error:
            self.probe()
            raise FileMissingError("This file is in the list, but its content is not there.") from error

    def read(self, file: BinaryIO, count: int) -> bytes:
        return file.read(count)

    def delete(self, *, course_id: int, file_id: UUID) -> None:
        self.probe()
        self._path(course_id, file_id).unlink(missing_ok=True)


class BoundedStorage:
    """A storage whose calls return in time, or raise StorageUnavailableError."""

    # Long enough for a file system that is slow, short enough for a reader.
    SECONDS = 3.0
    # 20 MiB at 1 MiB a second.
    RECEIVE_SECONDS = 20.0

    def __init__(self, storage: Storage, *, at_once: int = 8) -> None:
        self._storage = storage
        self._bulkhead = Bulkhead("The shared file system", at_once=at_once)

    def _bounded(self, work: Callable[[], T], seconds: float | None = None) -> T:
        try:
            return self._bulkhead.call(work, seconds=seconds or self.SECONDS)
        except (OSError, NotAnsweringError) as error:
            raise StorageUnavailableError("The shared files cannot be reached just now.") from error

    def probe(self) -> None:
        self._bounded(self._storage.probe)

    def receive(self, chunks: Iterable[bytes]) -> Received:
        return self._bounded(lambda: self._storage.receive(chunks), self.RECEIVE_SECONDS)

    def publish(self, received: Received, *, course_id: int, file_id: UUID) -> None:
        self._bounded(lambda: self._storage.publish(received, course_id=course_id, file_id=file_id))

    def discard(self, received: Received) -> None:
        self._bounded(lambda: self._storage.discard(received))

    def open(self, *, course_id: int, file_id: UUID) -> BinaryIO:
        return self._bounded(lambda: self._storage.open(course_id=course_id, file_id=file_id))

    def read(self, file: BinaryIO, count: int) -> bytes:
        return self._bounded(lambda: self._storage.read(file, count))

    def read_whole(self, *, course_id: int, file_id: UUID) -> bytes:
        def work() -> bytes:
            with closing(self._storage.open(course_id=course_id, file_id=file_id)) as file:
                return self._storage.read(file, -1)

        return self._bounded(work)

    def delete(self, *, course_id: int, file_id: UUID) -> None:
        self._bounded(lambda: self._storage.delete(course_id=course_id, file_id=file_id))


@lru_cache(maxsize=8)
def _storage_at(root: Path) -> BoundedStorage:
    return BoundedStorage(FolderStorage(root))


def get_storage() -> BoundedStorage:
    """The storage that SHARED_FILES_DIR names."""
    return _storage_at(Path(settings.SHARED_FILES_DIR))
