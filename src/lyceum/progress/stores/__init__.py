"""Where progress is kept: one interface, two stores, chosen by the setting PROGRESS_URL.

`database:` keeps it beside everything else, `dynamodb://TABLE` in one DynamoDB table whose address and credentials
boto3 finds by itself.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from lyceum.progress.domain import LessonKey, LessonRecord, Watch


class ProgressStore(Protocol):
    """Every write is idempotent and commutes with every other; every read sees all writes that returned before it.

    All methods raise StoreUnavailableError when the store cannot be reached in time.
    """

    def record(self, key: LessonKey, watch: Watch, *, complete_at: int, now_ms: int) -> LessonRecord:
        """Adds the buckets, takes the position if its order is the largest, and returns the state afterwards.

        The first time that at least `complete_at` buckets are watched, `now_ms` is kept as the time of completion.
        """
        ...

    def complete(self, key: LessonKey, *, now_ms: int) -> LessonRecord:
        """Marks the lesson completed now, unless it already was; returns the state afterwards."""
        ...

    def lesson(self, key: LessonKey) -> LessonRecord:
        """What is known of one lesson; an empty record if nothing."""
        ...

    def course(self, *, user_id: int, course_id: int) -> Mapping[UUID, LessonRecord]:
        """What is known of a course by lesson; lessons never touched are absent."""
        ...


def get_store() -> ProgressStore:
    """The store that PROGRESS_URL names. Raises ImproperlyConfigured, in one line, when it names none."""
    return _store(settings.PROGRESS_URL)


@lru_cache(maxsize=8)
def _store(url: str) -> ProgressStore:
    parts = urlsplit(url)
    if parts.scheme == "database" and not (parts.netloc or parts.path.strip("/")):
        from lyceum.progress.stores.sql import SqlStore

        return SqlStore()
    if parts.scheme == "dynamodb" and parts.netloc and not parts.path.strip("/"):
        from lyceum.progress.stores.dynamodb import DynamoStore

        # netloc, not hostname: table names keep their capitals
        return DynamoStore(table=parts.netloc)
    raise ImproperlyConfigured(f"PROGRESS_URL must be `database:` or `dynamodb://TABLE`, not `{url}`.")
