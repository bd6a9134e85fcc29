"""What a content key may look like: lower-case path segments that can be a file name, an S3 key and a URL without
quoting.
"""

import re

SEGMENT = re.compile(r"[a-z0-9_-][a-z0-9._-]*", re.ASCII)
LONGEST_KEY = 300


class ContentError(Exception):
    """Something about stored content went wrong.

    ContentError
    ├── InvalidKeyError      the key is not one that a store could hold
    └── MissingContentError  nothing is stored under the key
    """

    code = "content-error"


class InvalidKeyError(ContentError, ValueError):
    code = "content-key-invalid"


class MissingContentError(ContentError, LookupError):
    code = "content-missing"


def check(key: str) -> str:
    """The key itself, or InvalidKeyError.

    A segment may not be empty or begin with a dot, so no key climbs out of a folder or names a hidden file.
    """
    if len(key) > LONGEST_KEY or not all(SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise InvalidKeyError(
            f"{key[:80]!r} is not a content key: use a-z, 0-9, '_', '-' and '.' in segments divided by '/', "
            f"none beginning with a dot, {LONGEST_KEY} characters at most."
        )
    return key
