"""Tokens that tie a page to the server's clock.

A page carries a signed token that says when the server issued it. A report adds how long ago that was, measured by the
browser's monotonic clock, so the server knows when something happened without ever asking the device what time it is.
A token also says when its page was opened: that is what renewed tokens inherit and what the limit on speed counts from.
Tokens live long enough for a device that was offline for weeks to send what it kept.
"""

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core import signing

from lyceum.progress.errors import AnchorExpiredError, BadAnchorError, OtherLearnerError

SALT: Final = "lyceum.progress.anchor"
LIFETIME_MS: Final = 30 * 24 * 60 * 60 * 1000
MAX_TOKEN_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True)
class Anchor:
    """Times are milliseconds since the epoch by the server's clock; opened_at_ms <= issued_at_ms."""

    user_id: int
    lesson_id: UUID
    opened_at_ms: int
    issued_at_ms: int


def server_now_ms() -> int:
    """The server's clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def issue(*, user_id: int, lesson_id: UUID, now_ms: int, opened_at_ms: int | None = None) -> str:
    """A token for a page that is opened now, or that was opened at `opened_at_ms` and is renewed."""
    opened = now_ms if opened_at_ms is None else min(opened_at_ms, now_ms)
    return signing.dumps({"u": user_id, "l": str(lesson_id), "o": opened, "i": now_ms}, salt=SALT)


def read(token: object, *, user_id: int, now_ms: int) -> Anchor:
    """Checks signature, age and owner; whether it is for the lesson in question is left to the caller.

    Raises BadAnchorError (forged or damaged), OtherLearnerError or AnchorExpiredError.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
        raise BadAnchorError("`token` must be the one that the page was given.")
    try:
        said = signing.loads(token, salt=SALT)
        anchor = Anchor(int(said["u"]), UUID(said["l"]), int(said["o"]), int(said["i"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise BadAnchorError("`token` was not issued here; reload the page.") from error
    if anchor.user_id != user_id:
        raise OtherLearnerError("This page was opened by another account; reload it to go on as yourself.")
    if now_ms - anchor.issued_at_ms > LIFETIME_MS:
        raise AnchorExpiredError("This progress was kept for too long before it was sent, so it was not counted.")
    return anchor
