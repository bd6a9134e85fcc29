"""What the rest of the platform asks of progress: take a report, mark a lesson, show a course, open a player.

Access is decided here for every entry, so that the API and the pages cannot differ.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from lyceum.accounts.models import User
from lyceum.content import get_store as get_content_store
from lyceum.courses.models import Course, Enrolment, Lesson
from lyceum.progress import anchors, domain
from lyceum.progress.domain import LessonKey, LessonRecord
from lyceum.progress.errors import (
    AnchorExpiredError,
    BadAnchorError,
    LessonNotFoundError,
    NotEnrolledError,
    StoreUnavailableError,
    WrongKindError,
)
from lyceum.progress.stores import get_store

logger = logging.getLogger(__name__)

MEDIA_URL_SECONDS: Final = 3600
"""How long a media address works; a presigned one dies with its role's credentials, 6 h at the most."""
END_SECONDS: Final = 5
"""A learner who left this close to the end starts over instead of meeting the last second."""


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """`percent` is watched time (100 for a completed text), `position` the seconds at which to resume, if any."""

    percent: int
    completed: bool
    position: float | None


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """`percent` is the mean over all lessons, a completed one counting whole; 100 only when all are completed.

    `resume_lesson_id` is where to go on: the lesson last touched, or the first open one after it; None when nothing is
    left. `available` is False when the store could not be asked: the rest is then empty, not known to be zero.
    """

    percent: int
    completed: int
    total: int
    lessons: dict[UUID, LessonProgress]
    resume_lesson_id: UUID | None
    available: bool = True


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The lesson after a report (or without one), and a token issued now. Seconds of media time."""

    token: str
    position: float | None
    percent: int
    watched_seconds: int
    completed: bool


@dataclass(frozen=True, slots=True)
class MediaLink:
    """Where the browser may fetch the media until `expires_at`, `expires_in` seconds from now."""

    url: str
    expires_at: datetime
    expires_in: int


@dataclass(frozen=True, slots=True)
class CaptionTrack:
    src: str
    language: str
    label: str


@dataclass(frozen=True, slots=True)
class PlayerContext:
    """All that `progress/_player.html` shows; the template's documentation names the attributes player.js reads."""

    lesson: Lesson
    media: MediaLink
    poster_url: str
    captions: list[CaptionTrack]
    outcome: ReportOutcome
    resume_at: float | None
    user_id: int
    csrf_cookie: str
    reports_url: str
    anchors_url: str
    media_api_url: str
    max_rate: float = domain.MAX_RATE


def lesson_for(*, user: User, lesson_id: UUID) -> Lesson:
    """The lesson with its course, if it is open to the user.

    Raises LessonNotFoundError (also for a course the user may not see) or NotEnrolledError.
    """
    visible = Course.objects.visible_to(user)
    lesson = Lesson.objects.select_related("course").filter(pk=lesson_id, course__in=visible).first()
    if lesson is None:
        raise LessonNotFoundError("There is no such lesson.")
    if not (
        Enrolment.objects.filter(user=user, course=lesson.course).exists()
        or user.is_administrator
        or lesson.course.instructors.filter(pk=user.pk).exists()
    ):
        raise NotEnrolledError("Enrol in the course first; then its lessons are open to you.")
    return lesson


def anchor(*, user: User, lesson_id: UUID, token: object = None, now_ms: int | None = None) -> ReportOutcome:
    """A fresh token and the present state, for a page that slept, came back from a cache, or has none yet.

    With the page's former token the page's opening time is kept; a token that is no use is as good as none.
    """
    now = anchors.server_now_ms() if now_ms is None else now_ms
    lesson = _video_for(user=user, lesson_id=lesson_id)
    opened_at_ms = None
    if token is not None:
        try:
            held = anchors.read(token, user_id=user.pk, now_ms=now)
            opened_at_ms = held.opened_at_ms if held.lesson_id == lesson.pk else None
        except (AnchorExpiredError, BadAnchorError):
            logger.info("A page of lesson %s renewed a token that was no use.", lesson_id)
    record = get_store().lesson(_key(user, lesson))
    return _outcome(user, lesson, record, now_ms=now, opened_at_ms=opened_at_ms)


def report(
    *,
    user: User,
    lesson_id: UUID,
    token: object,
    report_id: object,
    elapsed_ms: object,
    position: object,
    stretches: object,
    now_ms: int | None = None,
) -> ReportOutcome:
    """Takes a player's report. Sending it again, late or out of order changes nothing.

    Raises a ProgressError; nothing is changed then.
    """
    now = anchors.server_now_ms() if now_ms is None else now_ms
    # Whose page it is comes first: with another account signed in, its player must keep the report, not drop it.
    held = anchors.read(token, user_id=user.pk, now_ms=now)
    lesson = _video_for(user=user, lesson_id=lesson_id)
    if held.lesson_id != lesson.pk:
        raise BadAnchorError("`token` belongs to another lesson; reload the page.")
    duration_ms = _duration_ms(lesson)
    parsed = domain.parse_report(
        report_id=report_id,
        elapsed_ms=elapsed_ms,
        position=position,
        stretches=stretches,
        duration_ms=duration_ms,
    )
    watch = domain.weigh(
        parsed,
        opened_at_ms=held.opened_at_ms,
        issued_at_ms=held.issued_at_ms,
        now_ms=now,
        duration_ms=duration_ms,
    )
    record = get_store().record(_key(user, lesson), watch, complete_at=domain.buckets_needed(duration_ms), now_ms=now)
    return _outcome(user, lesson, record, now_ms=now, opened_at_ms=held.opened_at_ms)


def mark_complete(*, user: User, lesson: Lesson) -> LessonProgress:
    """Marks a text or document completed. Raises WrongKindError for a video, which is completed by watching it."""
    lesson = lesson_for(user=user, lesson_id=lesson.pk)
    if lesson.kind == Lesson.Kind.VIDEO:
        raise WrongKindError("A video is completed by watching it.")
    return _progress(lesson, get_store().complete(_key(user, lesson), now_ms=anchors.server_now_ms()))


def course_progress(*, user: User, course: Course) -> CourseProgress:
    """The learner's way through a course: one read of the store, whatever the number of lessons."""
    lessons = list(
        Lesson.objects.filter(course=course)
        .in_order()
        .only("id", "course_id", "section_id", "kind", "duration_seconds", "position", "slug")
    )
    try:
        records: Mapping[UUID, LessonRecord] = get_store().course(user_id=user.pk, course_id=course.pk)
    except StoreUnavailableError:
        logger.warning("Progress in course %s could not be read.", course.pk, exc_info=True)
        return CourseProgress(0, 0, len(lessons), {}, None, available=False)
    progress = {lesson.pk: _progress(lesson, records.get(lesson.pk, LessonRecord())) for lesson in lessons}
    completed = sum(1 for one in progress.values() if one.completed)
    share = sum(100 if one.completed else min(one.percent, 99) for one in progress.values())
    return CourseProgress(
        percent=share // len(lessons) if lessons else 0,
        completed=completed,
        total=len(lessons),
        lessons=progress,
        resume_lesson_id=_resume_lesson(lessons, records, progress),
    )


def media_link(*, user: User, lesson_id: UUID) -> MediaLink:
    """A new address of the lesson's media. Raises WrongKindError for a lesson without any."""
    lesson = lesson_for(user=user, lesson_id=lesson_id)
    if not lesson.media_key:
        raise WrongKindError("This lesson has no video or document.")
    return _media_link(lesson)


def player(*, user: User, lesson: Lesson) -> PlayerContext:
    """What the template `progress/_player.html` needs. Raises WrongKindError for a lesson that is no video."""
    lesson = _video_for(user=user, lesson_id=lesson.pk)
    try:
        record = get_store().lesson(_key(user, lesson))
    except StoreUnavailableError:
        # The video can be watched all the same; reports are kept in the browser meanwhile.
        logger.warning("Progress in lesson %s could not be read.", lesson.pk, exc_info=True)
        record = LessonRecord()
    outcome = _outcome(user, lesson, record, now_ms=anchors.server_now_ms(), opened_at_ms=None)
    return PlayerContext(
        lesson=lesson,
        media=_media_link(lesson),
        poster_url=get_content_store().url(lesson.poster_key) if lesson.poster_key else "",
        captions=[
            CaptionTrack(
                src=reverse("lesson-captions", args=[lesson.pk, track["language"]]),
                language=track["language"],
                label=track.get("label") or track["language"],
            )
            for track in lesson.captions
        ],
        outcome=outcome,
        resume_at=_resume_at(lesson, record),
        user_id=user.pk,
        csrf_cookie=settings.CSRF_COOKIE_NAME,
        reports_url=reverse("api-v1:progress-reports"),
        anchors_url=reverse("api-v1:progress-anchors"),
        media_api_url=reverse("api-v1:lesson-media", args=[lesson.pk]),
    )


def _video_for(*, user: User, lesson_id: UUID) -> Lesson:
    lesson = lesson_for(user=user, lesson_id=lesson_id)
    if lesson.kind != Lesson.Kind.VIDEO:
        raise WrongKindError("Only videos report what was watched.")
    return lesson


def _key(user: User, lesson: Lesson) -> LessonKey:
    return LessonKey(user_id=user.pk, course_id=lesson.course_id, lesson_id=lesson.pk)


def _duration_ms(lesson: Lesson) -> int:
    return round((lesson.duration_seconds or 0) * 1000)


def _media_link(lesson: Lesson) -> MediaLink:
    return MediaLink(
        url=get_content_store().url(lesson.media_key, expires_seconds=MEDIA_URL_SECONDS),
        expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=MEDIA_URL_SECONDS),
        expires_in=MEDIA_URL_SECONDS,
    )


def _progress(lesson: Lesson, record: LessonRecord) -> LessonProgress:
    if lesson.kind != Lesson.Kind.VIDEO:
        completed = record.completed_at_ms is not None
        return LessonProgress(percent=100 if completed else 0, completed=completed, position=None)
    duration_ms = _duration_ms(lesson)
    watched = domain.watched_count(record.buckets, duration_ms)
    return LessonProgress(
        percent=100 * watched // domain.bucket_count(duration_ms),
        # The count too: the write that notes the completion may have been lost between two updates.
        completed=record.completed_at_ms is not None or watched >= domain.buckets_needed(duration_ms),
        position=_resume_at(lesson, record),
    )


def _resume_at(lesson: Lesson, record: LessonRecord) -> float | None:
    """Seconds, or None at the very beginning and at the end."""
    if not record.position_ms or record.position_ms >= _duration_ms(lesson) - END_SECONDS * 1000:
        return None
    return record.position_ms / 1000


def _outcome(
    user: User, lesson: Lesson, record: LessonRecord, *, now_ms: int, opened_at_ms: int | None
) -> ReportOutcome:
    progress = _progress(lesson, record)
    duration_ms = _duration_ms(lesson)
    watched_ms = domain.watched_count(record.buckets, duration_ms) * domain.BUCKET_MS
    return ReportOutcome(
        token=anchors.issue(user_id=user.pk, lesson_id=lesson.pk, now_ms=now_ms, opened_at_ms=opened_at_ms),
        position=None if record.position_ms is None else record.position_ms / 1000,
        percent=progress.percent,
        watched_seconds=min(watched_ms, duration_ms) // 1000,
        completed=progress.completed,
    )


def _resume_lesson(
    lessons: list[Lesson], records: Mapping[UUID, LessonRecord], progress: Mapping[UUID, LessonProgress]
) -> UUID | None:
    touched = [records[lesson.pk].touched_at_ms if lesson.pk in records else 0 for lesson in lessons]
    last = touched.index(max(touched)) if any(touched) else 0
    # From the lesson last touched to the end, then from the beginning.
    for lesson in lessons[last:] + lessons[:last]:
        if not progress[lesson.pk].completed:
            return lesson.pk
    return None
