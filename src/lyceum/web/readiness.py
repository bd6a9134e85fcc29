"""Whether everything that the platform keeps things in answers: asked by /readyz and by `manage.py selftest`.

/healthz, which a load balancer asks every few seconds, asks the database alone: a server whose shared files are away
serves lessons all the same, and must not be replaced for it.
"""

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from lyceum.content import get_store as content_store
from lyceum.progress.domain import LessonKey
from lyceum.progress.stores import get_store as progress_store
from lyceum.shared.storage import get_storage as shared_storage
from lyceum.web.bounded import Bulkhead

logger = logging.getLogger(__name__)

# Longer than a slow answer, shorter than the patience of whoever asks.
SECONDS = 5.0
# /readyz is open to everybody: so often, at most, is anything asked.
KEPT_SECONDS = 5.0

_bulkheads = {name: Bulkhead(name, at_once=2) for name in ("progress", "content")}


def database() -> None:
    """Raises DatabaseError. In the caller's thread: the connection belongs to it, and its settings bound the wait."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            cursor.fetchone()
    except DatabaseError:
        connection.close()
        raise


def progress() -> None:
    """Asks for a lesson that nobody ever took. Kept in the database, progress is as ready as that is."""
    store = progress_store()
    if not settings.PROGRESS_URL.startswith("database:"):
        nowhere = LessonKey(user_id=0, course_id=0, lesson_id=UUID(int=0))
        _bulkheads["progress"].call(lambda: store.lesson(nowhere), seconds=SECONDS)


def content() -> None:
    store = content_store()

    def ask() -> None:
        if settings.CONTENT_URL.startswith("s3:"):
            # S3 says the same 404 of a key in a bucket that is not there: only a listing tells.
            next(iter(store.list("readiness/")), None)
        else:
            store.exists("readiness/asks-for-nothing")

    _bulkheads["content"].call(ask, seconds=SECONDS)


def shared() -> None:
    shared_storage().probe()


CHECKS: dict[str, Callable[[], None]] = {
    "database": database,
    "progress": progress,
    "content": content,
    "shared": shared,
}


class _Kept:
    """The last answer, for KEPT_SECONDS; one thread asks anew, and others take what is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: frozenset[str] | None = None
        self._asked = float("-inf")

    def failed(self) -> frozenset[str]:
        known = self._names
        if known is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return known
        try:
            if self._names is None or time.monotonic() - self._asked >= KEPT_SECONDS:
                self._names, self._asked = self._ask(), time.monotonic()
            return self._names
        finally:
            self._lock.release()

    @staticmethod
    def _ask() -> frozenset[str]:
        found: set[str] = set()
        for name, check in CHECKS.items():
            try:
                check()
            except Exception as error:
                logger.warning("Not ready: %s", name, exc_info=error)
                found.add(name)
        return frozenset(found)

    def forget(self) -> None:
        with self._lock:
            self._names = None


kept = _Kept()
