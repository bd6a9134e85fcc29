"""Brings the content store and the database in line with a course folder: all of it, or nothing.

Media go first, under keys that hold their hash, so that storing them disturbs nobody; then one transaction writes every
row; then media that no row names any more are removed. When anything fails before the commit, the transaction is rolled
back and the media that this load had added are taken away again.

Lessons are matched by their slug and keep their id, and with it the progress of every learner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Model

from lyceum.accounts.models import User
from lyceum.content import ContentStore
from lyceum.courses.models import Course, Lesson, Section

from .faults import Fault, FaultyFolderError, LoadFailedError
from .media import Media
from .reading import COURSE_FILE, CourseFolder, LessonFile


@dataclass
class LoadReport:
    """What a load did, or would do. `state` is created, updated or unchanged; the lists hold lesson slugs."""

    state: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    media_stored: list[str] = field(default_factory=list)
    media_removed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load(folder: CourseFolder, *, store: ContentStore, dry_run: bool = False) -> LoadReport:
    """Load or update the course; with `dry_run` only find out what that would do.

    Raises FaultyFolderError when the folder does not fit what is in the database, LoadFailedError when a store or the
    database fails. Nothing has changed after either.
    """
    media = folder.media
    try:
        instructors = _check_against_database(folder)
        before = Course.objects.filter(slug=folder.slug).first()
        old_keys = _referenced(before)
    except DatabaseError as error:
        raise LoadFailedError(_reason(error)) from error
    try:
        missing = {key: item for key, item in media.items() if not store.exists(key)}
    except Exception as error:
        raise LoadFailedError(f"The content store does not answer: {error}") from error
    report = LoadReport("unchanged", media_stored=list(missing))
    if dry_run:
        with transaction.atomic():
            _write(folder, instructors, report)
            transaction.set_rollback(True)
        report.media_removed = sorted(old_keys - set(media))
        return report

    stored: list[str] = []
    try:
        _store(missing, store, stored)
        # durable: when this block ends the rows are committed, whoever called, so old media may go
        with transaction.atomic(durable=True):
            _write(folder, instructors, report)
    except BaseException as error:
        _take_back(stored, folder.slug, store)
        if not isinstance(error, Exception):
            raise
        raise LoadFailedError(_reason(error)) from error
    _remove_old(sorted(old_keys - set(media)), folder.slug, store, report)
    return report


def _check_against_database(folder: CourseFolder) -> list[User] | None:
    """The instructors' accounts, None when the folder does not speak of them."""
    faults: list[Fault] = []
    course = Course.objects.filter(slug=folder.slug).first()
    if course and not course.folder_digest:
        message = f"slug: the course '{folder.slug}' was made on the platform, not from a folder; choose another slug"
        faults.append(Fault(COURSE_FILE, folder.slug_line, message))
    found: list[User] = []
    for email, line in folder.instructors or ():
        user = User.objects.filter(email=email).first()
        if user is None:
            faults.append(Fault(COURSE_FILE, line, f"instructors: there is no account with the e-mail {email}"))
        elif user.role == User.Role.STUDENT:
            faults.append(Fault(COURSE_FILE, line, f"instructors: {email} is a student, not an instructor"))
        else:
            found.append(user)
    if faults:
        raise FaultyFolderError(faults)
    return None if folder.instructors is None else found


# Media


def _store(missing: dict[str, Media], store: ContentStore, stored: list[str]) -> None:
    for key, item in missing.items():
        stored.append(key)  # before the bytes go: a store may fail half-way through them
        store.put(key, item.source, content_type=item.content_type)


def _take_back(stored: list[str], slug: str, store: ContentStore) -> None:
    """Remove what this load stored, but nothing that a load beside it has put into rows meanwhile."""
    if not stored:
        return
    try:
        needed = _referenced(Course.objects.filter(slug=slug).first())
    except DatabaseError:
        return  # whether the commit arrived is unknown: bytes too many harm nobody, rows without bytes would
    for key in stored:
        if key not in needed:
            _try_delete(key, store)


def _remove_old(keys: list[str], slug: str, store: ContentStore, report: LoadReport) -> None:
    needed = _referenced(Course.objects.filter(slug=slug).first()) if keys else set()
    for key in keys:
        if key not in needed:
            if _try_delete(key, store):
                report.media_removed.append(key)
            else:
                report.notes.append(f"{key} is no longer used, and could not be removed from the content store.")


def _try_delete(key: str, store: ContentStore) -> bool:
    try:
        store.delete(key)
    except Exception:  # whatever a store raises: what matters has been done or is being reported already
        return False
    return True


def _referenced(course: Course | None) -> set[str]:
    """Every content key that the course's rows name."""
    if course is None:
        return set()
    keys = {course.cover_key}
    for lesson in course.lessons.all():
        keys |= {lesson.media_key, lesson.poster_key, *(caption["key"] for caption in lesson.captions)}
    return keys - {""}


# Rows


def _write(folder: CourseFolder, instructors: list[User] | None, report: LoadReport) -> None:
    course = Course.objects.select_for_update().filter(slug=folder.slug).first()
    if course and course.folder_digest == folder.digest:
        return
    report.state = "updated" if course else "created"
    course = course or Course(slug=folder.slug)
    _assign(
        course,
        title=folder.title,
        summary=folder.summary,
        description_md=folder.description_md,
        topic=folder.topic,
        level=folder.level,
        language=folder.language,
        cover_key=_key(folder.cover, folder),
        published=folder.published,
        folder_digest=folder.digest,
    )
    if instructors is not None:
        course.instructors.set(instructors)
    old_lessons = {lesson.slug: lesson for lesson in course.lessons.all()}
    old_sections = {section.slug: section for section in course.sections.all()}
    for section_position, part in enumerate(folder.sections, 1):
        section = old_sections.pop(part.slug, None) or Section(course=course, slug=part.slug)
        _assign(section, title=part.title, position=section_position)
        for position, file in enumerate(part.lessons, 1):
            known = old_lessons.pop(file.slug, None)
            lesson = known or Lesson(course=course, slug=file.slug)
            if _assign(lesson, section_id=section.pk, position=position, **_lesson_fields(file, folder)):
                (report.changed if known else report.added).append(file.slug)
    # Lessons first: a section's removal takes what is left in it along.
    for lesson in old_lessons.values():
        report.removed.append(lesson.slug)
        lesson.delete()
    for section in old_sections.values():
        section.delete()


def _lesson_fields(file: LessonFile, folder: CourseFolder) -> dict[str, Any]:
    return {
        "title": file.title,
        "summary": file.summary,
        "kind": file.kind,
        "body_md": file.body_md,
        "media_key": _key(file.media, folder),
        "media_type": file.media.content_type if file.media else "",
        "media_bytes": file.media.size if file.media else 0,
        "poster_key": _key(file.poster, folder),
        "duration_seconds": file.duration_seconds,
        "captions": [
            {"key": _key(caption.media, folder), "language": caption.language, "label": caption.label}
            for caption in file.captions
        ],
    }


def _assign(row: Model, **fields: Any) -> bool:
    """Set the fields, and validate and save when any differs or the row is new. Returns whether it was saved."""
    new = row._state.adding
    differs = [name for name, value in fields.items() if getattr(row, name) != value]
    if not (new or differs):
        return False
    for name in differs:
        setattr(row, name, fields[name])
    row.full_clean()
    row.save()
    return True


def _key(media: Media | None, folder: CourseFolder) -> str:
    return media.key(folder.slug) if media else ""


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "The database does not accept it: " + " ".join(error.messages)
    if isinstance(error, DatabaseError):
        return f"The database failed: {error}"
    return f"Storing the media failed: {error}"
