"""The rules of progress, free of any framework or store.

**Watched time** is a set of buckets of `BUCKET_SECONDS` of media time. A bucket is earned when the merged stretches of
*one* report cover at least half of it; the last bucket is as long as what remains of the video, and half of that
counts. A set union cares neither for order nor for repetition, so reports may be resent, delayed and reordered. Because
half buckets of two reports are never added up, a player reports everything it played since its page was opened, merged:
where it cuts its reports then makes no difference, and a later report repairs a lost one.

**Position** is the newest one, by an order that the server anchors (see `anchors`): the largest order string wins.

All times are whole milliseconds inside, so that no rounding depends on the order of additions.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lyceum.progress.errors import FromTheFutureError, ImplausibleError, MalformedReportError

BUCKET_SECONDS: Final = 5
BUCKET_MS: Final = BUCKET_SECONDS * 1000
MAX_DURATION_SECONDS: Final = 6 * 60 * 60
"""The longest lesson: bounds a record at 4,320 buckets."""
MAX_STRETCHES: Final = 200
COMPLETE_PERCENT: Final = 90
"""A video is completed when this share of its buckets is watched."""
DURATION_LEEWAY_SECONDS: Final = 2
"""A browser may find a file this much longer than its lesson says; what lies beyond the end is cut off."""
FUTURE_LEEWAY_MS: Final = 5_000
"""Clocks of two app servers may differ by this much."""
MAX_RATE: Final = 2.5
"""Media seconds that one second may show; faster playback earns nothing (the player does not report it)."""
RATE_SLACK_MS: Final = 15_000
MAX_ELAPSED_MS: Final = 366 * 24 * 60 * 60 * 1000

_REPORT_ID = re.compile(r"[0-9A-Za-z-]{8,64}")

Interval = tuple[int, int]
"""Start and end in milliseconds of media time, start < end."""


@dataclass(frozen=True, slots=True)
class LessonKey:
    """Whose progress in what."""

    user_id: int
    course_id: int
    lesson_id: UUID


@dataclass(frozen=True, slots=True)
class Watch:
    """What a report adds: earned buckets, and a position (ms) that counts if `order` is the largest so far."""

    buckets: frozenset[int]
    position_ms: int
    order: str


@dataclass(frozen=True, slots=True)
class LessonRecord:
    """What a store keeps of one lesson. `order` is empty and `position_ms` None until a position was reported."""

    buckets: frozenset[int] = frozenset()
    position_ms: int | None = None
    order: str = ""
    completed_at_ms: int | None = None

    @property
    def touched_at_ms(self) -> int:
        """When the learner was last here: the time of the newest position or of completion, 0 for never."""
        return max(int(self.order[:15]) if self.order else 0, self.completed_at_ms or 0)


@dataclass(frozen=True, slots=True)
class Report:
    """A report whose form is checked. `stretches` are seconds as sent, `elapsed_ms` counts from the anchor."""

    report_id: str
    elapsed_ms: int
    position: float
    stretches: tuple[tuple[float, float], ...]


def bucket_count(duration_ms: int) -> int:
    """How many buckets a video of that length has; the last one may be short."""
    return -(-duration_ms // BUCKET_MS)


def buckets_needed(duration_ms: int) -> int:
    """How many watched buckets complete a video of that length."""
    return -(-bucket_count(duration_ms) * COMPLETE_PERCENT // 100)


def watched_count(buckets: Iterable[int], duration_ms: int) -> int:
    """Watched buckets that still exist: a video may have been replaced by a shorter one."""
    count = bucket_count(duration_ms)
    return sum(1 for bucket in buckets if bucket < count)


def order_of(*, at_ms: int, report_id: str, position_ms: int) -> str:
    """A string that sorts by time, and decides a tie the same way whichever report arrives first."""
    return f"{at_ms:015d}#{report_id}#{position_ms:08d}"


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of the intervals, in order and without overlap."""
    union: list[Interval] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        elif start < end:
            union.append((start, end))
    return union


def earned_buckets(union: Iterable[Interval], duration_ms: int) -> frozenset[int]:
    """The buckets of which the merged intervals cover at least half."""
    covered: dict[int, int] = {}
    for start, beyond in union:
        end = min(beyond, duration_ms)
        for bucket in range(start // BUCKET_MS, -(-end // BUCKET_MS)):
            lower, upper = bucket * BUCKET_MS, min((bucket + 1) * BUCKET_MS, duration_ms)
            covered[bucket] = covered.get(bucket, 0) + min(end, upper) - max(start, lower)
    return frozenset(
        bucket
        for bucket, milliseconds in covered.items()
        if 2 * milliseconds >= min(BUCKET_MS, duration_ms - bucket * BUCKET_MS)
    )


def parse_report(
    *, report_id: object, elapsed_ms: object, position: object, stretches: object, duration_ms: int
) -> Report:
    """Checks the form of what a player sent.

    Raises MalformedReportError, which names the field and what is expected of it, never what was sent.
    """
    if not isinstance(report_id, str) or not _REPORT_ID.fullmatch(report_id):
        raise MalformedReportError("`report_id` must be 8 to 64 letters, digits or hyphens.")
    elapsed = _number(elapsed_ms, "elapsed_ms")
    if not 0 <= elapsed <= MAX_ELAPSED_MS:
        raise MalformedReportError("`elapsed_ms` must be the milliseconds since the token was received, not negative.")
    longest = duration_ms / 1000 + DURATION_LEEWAY_SECONDS
    if not isinstance(stretches, list):
        raise MalformedReportError("`stretches` must be a list of [start, end] pairs in seconds.")
    if len(stretches) > MAX_STRETCHES:
        raise MalformedReportError(f"`stretches` may hold at most {MAX_STRETCHES} pairs.")
    pairs = []
    for pair in stretches:
        if not isinstance(pair, list) or len(pair) != 2:
            raise MalformedReportError("Each of `stretches` must be a [start, end] pair in seconds.")
        start, end = _number(pair[0], "stretches"), _number(pair[1], "stretches")
        if not 0 <= start <= end <= longest:
            raise MalformedReportError("Each of `stretches` must start before it ends and lie within the video.")
        pairs.append((start, end))
    place = _number(position, "position")
    if not 0 <= place <= longest:
        raise MalformedReportError("`position` must lie within the video, in seconds from its start.")
    return Report(report_id=report_id, elapsed_ms=int(elapsed), position=place, stretches=tuple(pairs))


def weigh(report: Report, *, opened_at_ms: int, issued_at_ms: int, now_ms: int, duration_ms: int) -> Watch:
    """Turns a well-formed report into what it earns.

    `opened_at_ms` is when the server opened the page's session, `issued_at_ms` when it signed the token that the report
    counts from; `now_ms` is the server's clock. The device's clock is never asked.

    The limit on speed makes forging slower, it proves no attention: nobody can know whether a person looks.

    Raises FromTheFutureError, or ImplausibleError when more was played than the time since the page was opened allows.
    """
    at_ms = issued_at_ms + report.elapsed_ms
    if at_ms > now_ms + FUTURE_LEEWAY_MS:
        raise FromTheFutureError("The report claims a time that has not come yet, so it was not counted.")
    union = merged((round(start * 1000), min(round(end * 1000), duration_ms)) for start, end in report.stretches)
    played = sum(end - start for start, end in union)
    if played > (at_ms - opened_at_ms) * MAX_RATE + RATE_SLACK_MS:
        raise ImplausibleError("The report claims more watched time than has passed, so it was not counted.")
    position = min(round(report.position * 1000), duration_ms)
    return Watch(
        buckets=earned_buckets(union, duration_ms),
        position_ms=position,
        order=order_of(at_ms=at_ms, report_id=report.report_id, position_ms=position),
    )


def _number(value: object, field: str) -> float:
    """Finite numbers only: not NaN, not infinity, not true, and no integer too large to calculate with."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(_as_float(value)):
        raise MalformedReportError(f"`{field}` must hold ordinary numbers.")
    return _as_float(value)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
