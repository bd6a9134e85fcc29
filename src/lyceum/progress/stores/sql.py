"""Progress in the platform's own database, through the ORM: SQLite and PostgreSQL.

The row is locked before it is read, and the first statement of each transaction writes: SQLite then takes its write
lock at once instead of failing when a reader turns writer, and PostgreSQL makes a second writer wait for the row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from lyceum.progress.domain import LessonKey, LessonRecord, Watch
from lyceum.progress.errors import StoreUnavailableError
from lyceum.progress.models import LessonProgress


class SqlStore:
    """Buckets are the bits of one binary column: 540 bytes for the longest lesson."""

    def record(self, key: LessonKey, watch: Watch, *, complete_at: int, now_ms: int) -> LessonRecord:
        with _available(), transaction.atomic():
            row = _locked(key)
            watched = _bits(row.watched)
            for bucket in watch.buckets:
                watched |= 1 << bucket
            row.watched = watched.to_bytes((watched.bit_length() + 7) // 8, "little")
            if watch.order > row.position_order:
                row.position_order, row.position_ms = watch.order, watch.position_ms
            if row.completed_at_ms is None and watched.bit_count() >= complete_at:
                row.completed_at_ms = now_ms
            _save(row)
            return _as_record(row)

    def complete(self, key: LessonKey, *, now_ms: int) -> LessonRecord:
        with _available(), transaction.atomic():
            row = _locked(key)
            if row.completed_at_ms is None:
                row.completed_at_ms = now_ms
                _save(row)
            return _as_record(row)

    def lesson(self, key: LessonKey) -> LessonRecord:
        with _available():
            row = LessonProgress.objects.filter(**_columns(key)).first()
        return _as_record(row) if row else LessonRecord()

    def course(self, *, user_id: int, course_id: int) -> Mapping[UUID, LessonRecord]:
        with _available():
            rows = LessonProgress.objects.filter(user_id=user_id, course_id=course_id)
            return {row.lesson_id: _as_record(row) for row in rows}


def _columns(key: LessonKey) -> dict[str, object]:
    return {"user_id": key.user_id, "course_id": key.course_id, "lesson_id": key.lesson_id}


def _locked(key: LessonKey) -> LessonProgress:
    LessonProgress.objects.bulk_create([LessonProgress(**_columns(key))], ignore_conflicts=True)
    return LessonProgress.objects.select_for_update().get(**_columns(key))


def _save(row: LessonProgress) -> None:
    LessonProgress.objects.filter(user_id=row.user_id, course_id=row.course_id, lesson_id=row.lesson_id).update(
        watched=row.watched,
        position_ms=row.position_ms,
        position_order=row.position_order,
        completed_at_ms=row.completed_at_ms,
    )


def _as_record(row: LessonProgress) -> LessonRecord:
    bits = _bits(row.watched)
    return LessonRecord(
        buckets=frozenset(bucket for bucket in range(bits.bit_length()) if bits >> bucket & 1),
        position_ms=row.position_ms,
        order=row.position_order,
        completed_at_ms=row.completed_at_ms,
    )


def _bits(watched: bytes | memoryview) -> int:
    # psycopg hands binary columns out as memoryview
    return int.from_bytes(bytes(watched), "little")


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailableError("Your progress cannot be saved just now. It will be tried again.") from error
