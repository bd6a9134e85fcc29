"""Content in a folder: `<root>/<key>` holds the bytes and `<root>/.types/<key>` their media type.

Browsers are given a signed, expiring address of this site that `lyceum.content.views` serves. No key begins with a dot,
so the types and half-written files are out of reach of any address.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.http import urlencode

from lyceum.content.keys import MissingContentError, check

UNKNOWN_TYPE = "application/octet-stream"


def _signature(key: str, expires: str, name: str) -> str:
    # Lengths keep two different triples from being signed as one string.
    return Signer(salt="lyceum.content").signature(f"{len(key)}:{key}:{expires}:{name}")


def verify(key: str, *, expires: str, name: str, signature: str) -> None:
    """Raises BadSignature unless `FolderStore.url` gave out exactly this address and it has not expired."""
    signer = Signer(salt="lyceum.content")
    value = f"{len(key)}:{key}:{expires}:{name}"
    if signer.unsign(f"{value}{signer.sep}{signature}") != value:
        raise BadSignature("another value")
    if int(expires) < time.time():
        raise BadSignature("expired")


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._types = root / ".types"
        self._incoming = root / ".incoming"

    @property
    def origin(self) -> str:
        return ""

    def path(self, key: str) -> Path:
        return self.root / check(key)

    def put(self, key: str, path: Path, *, content_type: str) -> None:
        target, kind = self.path(key), self._types / key
        self._incoming.mkdir(parents=True, exist_ok=True)
        incoming = self._incoming / secrets.token_hex(16)
        try:
            with path.open("rb") as source, incoming.open("xb") as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
                copy.flush()
                os.fsync(copy.fileno())
            for parent in (target.parent, kind.parent):
                parent.mkdir(parents=True, exist_ok=True)
            kind.write_text(content_type)
            incoming.replace(target)
        finally:
            incoming.unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def open(self, key: str) -> BinaryIO:
        try:
            return self.path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingContentError(f"Nothing is stored under {key!r}.") from error

    def content_type(self, key: str) -> str:
        try:
            return (self._types / check(key)).read_text() or UNKNOWN_TYPE
        except OSError:
            return UNKNOWN_TYPE

    def url(self, key: str, *, expires_seconds: int = 3600, download_name: str | None = None) -> str:
        check(key)
        # Rounded up to five minutes, so that a page shown twice names the same address and the browser's cache is of
        # use.
        expires = str((int(time.time()) + expires_seconds + 299) // 300 * 300)
        name = download_name or ""
        query = {"expires": expires, "signature": _signature(key, expires, name)}
        if name:
            query["name"] = name
        return f"{reverse('content', args=[key])}?{urlencode(query)}"

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)
        (self._types / key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[str]:
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                key = Path(folder, name).relative_to(self.root).as_posix()
                if key.startswith(prefix):
                    found.append(key)
        return iter(sorted(found))
