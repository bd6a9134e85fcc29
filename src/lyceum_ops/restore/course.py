"""One course back, in order: it must not be live; the database of then beside the live one; its rows; their objects.

Everything is tried in a transaction that is taken back before anything is changed, so that what would be refused is
refused then. Objects come before rows: bytes that nobody names harm nobody, rows without bytes would. The copy is
removed however it ends: by a refusal, an error, Ctrl-C or a signal; after `kill -9` the next run, or drill, does it.
"""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from psycopg import Connection

from lyceum_ops.console import err, out, step
from lyceum_ops.drill import copies, release
from lyceum_ops.drill.release import Migrate
from lyceum_ops.drill.stores import Keeper
from lyceum_ops.errors import LyceumError, Refused, Usage
from lyceum_ops.processes import ENDING, handling
from lyceum_ops.restore import rows
from lyceum_ops.restore.content import Bucket, Objects
from lyceum_ops.restore.progress import Items, Kept
from lyceum_ops.restore.rows import Moved

Connect = Callable[[], AbstractContextManager[Connection[Any]]]
INTERRUPTED = "the copy is being removed; a second Ctrl-C leaves it to the next run."
# What the administration writes down of each course that it deletes.
DELETIONS = """
SELECT e.action_time, e.object_id, e.object_repr FROM public.django_admin_log e
  JOIN public.django_content_type t ON t.id = e.content_type_id
 WHERE t.app_label = 'courses' AND t.model = 'course' AND e.action_flag = 3 AND e.action_time >= %s
 ORDER BY e.action_time DESC LIMIT 10
"""


@dataclass(frozen=True)
class Opened:
    """A copy: how it is opened, and its address as the platform takes it."""

    connect: Connect
    url: str


class Past(Keeper, Protocol):
    """The database as it was: beside the live one, under a drill's name (lyceum_ops/drill/stores.py)."""

    def oldest(self) -> datetime:
        """How far back it can be brought."""

    def bring_back(self, at: datetime, number: str) -> Opened:
        """The database of that time. Raises LyceumError when it cannot be had."""


@dataclass(frozen=True)
class Stores:
    """What a course lies in. `live` opens the live database anew each time: a copy takes longer than a way lasts."""

    live: Connect
    past: Past
    content: Bucket
    progress: Items
    migrate: Migrate


@dataclass
class Brought:
    """What came back, or would."""

    slug: str
    at: datetime
    dry: bool
    number: int = 0
    title: str = ""
    moved: Moved = field(default_factory=Moved)
    objects: Objects = field(default_factory=Objects)
    kept: Kept = field(default_factory=lambda: Kept(0, 0))
    learners: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing for good, and nothing is left behind."""
        return not (self.objects.lost or self.left)

    def lines(self) -> list[str]:
        """For people: what came back in counts, what did not, and why."""
        moved, objects = self.moved, self.objects
        said = [
            f"course    {self.slug} (number {self.number}, “{self.title}”), as of {self.at:%Y-%m-%dT%H:%M:%SZ}",
            f"rows      {_counts(moved.put)}",
        ]
        if moved.there:
            said.append(f"          live already, and left as they are: {_counts(moved.there)}")
        for word, which in (("LEFT OUT", moved.left_out), ("UNNAMED ", moved.unnamed)):
            for (child, parent), count in which.items():
                said.append(f"{word}  {count} of {child}: their row of {parent} is gone since")
        said.append(
            f"content   {len(objects.there)} objects were there, "
            f"{len(objects.deleted)} {'would come' if self.dry else 'came'} back, {len(objects.lost)} are lost"
        )
        said += [f"LOST      {key}: the bucket keeps no version of it" for key in objects.lost]
        said.append(
            f"progress  was never gone: {self.kept.learners} of {self.learners} learners have it, "
            f"in {self.kept.lessons} lessons together"
        )
        if files := moved.put.get(rows.FILES):
            said.append(f"files     {files} are listed again; whether they are whole: manage.py check_shared_files")
        said += [f"LEFT BEHIND  {name}" for name in self.left]
        said.append(
            f"{'a dry run, nothing was changed' if self.dry else 'brought back'}: "
            f"{moved.rows} rows in {sum(1 for one in moved.put.values() if one)} tables, {len(objects.deleted)} objects"
        )
        return said

    def show(self) -> None:
        for line in self.lines():
            out.print(line, markup=False)


def parse(text: str, now: datetime) -> datetime:
    """A time of the past as the command line names it: ISO 8601, UTC where no zone is given; whole seconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Usage(f"{text} is no time.", "As 2026-05-04T09:10:00Z.") from error
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    if found >= now:
        raise Usage(f"{text} is not over yet.", "Name the time before the course was deleted.")
    return found


def restore(slug: str, at: datetime | None, stores: Stores, *, dry_run: bool = False) -> Brought:
    """Bring the course back as it was at that time; without one, right before the administration deleted a course.

    Raises Refused for a course that is live, or was not there; then nothing has changed.
    """
    number = secrets.token_hex(4)
    # They end it as Ctrl-C does: by way of the removal.
    with handling(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
        with step("look whether the course is live, and since when it is not") as line:
            with _open(stores.live, "live database") as live:
                rows.require_absent(live, slug)
                at = _time(live, at, stores.past.oldest())
            line.note(f"it is not; back to {at:%Y-%m-%dT%H:%M:%SZ}")
        brought = Brought(slug, at, dry_run)
        copies.sweep([stores.past], "run")
        try:
            with step("bring the database of then back, beside the live one") as line:
                opened = stores.past.bring_back(at, number)
                line.note(", ".join(stores.past.left()))
            _migrate(opened, stores)
            with _open(opened.connect, "copy of the database") as copy:
                _bring(copy, stores, brought)
        finally:
            with handling(copies.patient(INTERRUPTED), *ENDING):
                brought.left = copies.remove([stores.past], "copy")
    return brought


@contextmanager
def _open(connect: Connect, what: str) -> Iterator[Connection[Any]]:
    with rows.told(f"The {what} cannot be opened"), connect() as connection:
        yield connection


def _time(live: Connection[Any], at: datetime | None, oldest: datetime) -> datetime:
    if at is not None:
        if at < oldest:
            raise Refused(f"The database goes back to {oldest:%Y-%m-%dT%H:%M:%SZ} and no further.",
                          "The weekly backups do: docs/runbook/restore-all.md.")  # fmt: skip
        return at
    with rows.told("The administration's log cannot be read"):
        known = live.execute("SELECT to_regclass('public.django_admin_log')").fetchone()
        found = live.execute(DELETIONS, [oldest]).fetchall() if known and known[0] else []
    if len(found) == 1:
        # Written in the transaction of the deletion itself, which was not committed earlier.
        second: datetime = found[0][0].astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1)
        return max(second, oldest)
    said = "; ".join(f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} “{title}” (number {pk})" for when, pk, title in found)
    raise Usage(
        f"The administration deleted {'several courses' if found else 'no course'}"
        f" since {oldest:%Y-%m-%dT%H:%M:%SZ}{': ' + said if found else ''}.",
        "Name a time right before it with --at, as --at 2026-05-04T09:10:00Z.",
    )


def _migrate(opened: Opened, stores: Stores) -> None:
    """Where a release came since: its migrations, in the copy."""
    with (
        _open(opened.connect, "copy of the database") as copy,
        _open(stores.live, "live database") as live,
        rows.told("What was migrated since cannot be read"),
    ):
        missing = release.missing(copy, live)
    if missing:
        with step("migrate the copy as the live database was migrated since") as line:
            stores.migrate(opened.url)
            line.note(", ".join(missing))


def _bring(copy: Connection[Any], stores: Stores, brought: Brought) -> None:
    with step("find the course in it, and what is there of it still") as line:
        course = rows.find(copy, brought.slug)
        brought.number, brought.title = course.number, course.title
        learners = course.learners()
        brought.learners = len(learners)
        brought.objects = stores.content.look(course.keys(), brought.at)
        brought.kept = stores.progress.of(course.number, learners)
        line.note(f"{len(course.picked)} tables")
    with step("try it, and take it back") as line, _open(stores.live, "live database") as live:
        brought.moved = rows.move(course, live, keep=False)
        line.note(f"{brought.moved.rows} rows fit")
    if brought.dry:
        return
    try:
        if brought.objects.deleted:
            with step("bring deleted objects back") as line:
                stores.content.bring_back(brought.objects.deleted)
                line.note(f"{len(brought.objects.deleted)} of them")
        with step("put the rows in") as line, _open(stores.live, "live database") as live:
            brought.moved = rows.move(course, live, keep=True)
            line.note(f"{brought.moved.rows} rows, compared one by one")
    except BaseException:
        with handling(copies.patient(INTERRUPTED), *ENDING):
            _take_back(stores, brought)
        raise


def _take_back(stores: Stores, brought: Brought) -> None:
    """The objects, unless the rows came in after all (a connection may end right at the commit), or nobody knows."""
    try:
        with _open(stores.live, "live database") as live:
            rows.require_absent(live, brought.slug, brought.number)
    except LyceumError as error:
        err.print(f"The objects stay in the bucket: {error.message}", markup=False)
        return
    try:
        stores.content.take_back()
    except LyceumError as error:
        err.print(f"Objects that nobody names stay in the bucket: {error.message}", markup=False)


def _counts(of: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in of.items() if count) or "none"
