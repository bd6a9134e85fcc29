"""One interface to the bytes of courses, and the choice of a store by the setting CONTENT_URL.

`file:///folder` keeps them in a folder and serves them from this site; `s3://bucket` keeps them in a bucket and lets
browsers fetch from there. Both pass `tests/lyceum/content/test_store_contract.py`.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from lyceum.content.keys import ContentError, InvalidKeyError, MissingContentError

__all__ = ["ContentError", "ContentStore", "InvalidKeyError", "MissingContentError", "get_store"]


class ContentStore(Protocol):
    """Keys match `[a-z0-9/._-]+` with no segment empty or beginning with a dot; others raise InvalidKeyError
    everywhere.
    """

    @property
    def origin(self) -> str:
        """`scheme://host[:port]` that browsers fetch from, for the Content Security Policy; empty when it is this
        site.
        """

    def put(self, key: str, path: Path, *, content_type: str) -> None:
        """Keep the file's bytes under the key, in place of any before. Readers see the old bytes or the new, never a
        part.
        """

    def exists(self, key: str) -> bool: ...

    def open(self, key: str) -> BinaryIO:
        """The bytes, to read and close. Raises MissingContentError."""

    def url(self, key: str, *, expires_seconds: int = 3600, download_name: str | None = None) -> str:
        """Where a browser may fetch the bytes until it expires; with a name, it saves them instead of showing them."""

    def delete(self, key: str) -> None:
        """Forget the key; nothing happens when it is not there."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Every key that begins with the prefix, sorted."""


@lru_cache(maxsize=8)
def _store_at(address: str) -> ContentStore:
    parts = urlsplit(address)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        from lyceum.content.folder import FolderStore

        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc and not parts.path.strip("/"):
        from lyceum.content.bucket import BucketStore

        return BucketStore(parts.netloc)
    raise ImproperlyConfigured(f"CONTENT_URL={address!r}: give file:///a/folder or s3://bucket.")


def get_store() -> ContentStore:
    """The store that CONTENT_URL names."""
    return _store_at(settings.CONTENT_URL)
