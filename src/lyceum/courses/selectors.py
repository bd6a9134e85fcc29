"""Questions the pages ask about courses, answered in the shape a page shows.

Lists are fetched in a fixed number of queries whatever their length, except for progress, which its own store answers
once a course.
"""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Sum
from django.utils.functional import cached_property

from lyceum.accounts.models import User
from lyceum.content import ContentError, get_store
from lyceum.courses.models import Course, CourseQuerySet, Enrolment, Lesson, Section
from lyceum.progress import services as progress_services
from lyceum.progress.services import CourseProgress, LessonProgress

COVER_PATTERNS = 6


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    courses: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to a course. Administrators count as teachers of every one."""

    enrolled: bool
    teaches: bool


@dataclass(frozen=True, slots=True)
class OutlineLesson:
    """A lesson's line in the outline. `progress` is None for someone who is not enrolled."""

    lesson: Lesson
    progress: LessonProgress | None
    current: bool

    @property
    def completed(self) -> bool:
        return self.progress is not None and self.progress.completed

    @property
    def begun(self) -> bool:
        return self.progress is not None and not self.progress.completed and self.progress.percent > 0


@dataclass(frozen=True, slots=True)
class OutlineSection:
    section: Section
    lessons: list[OutlineLesson]

    @property
    def completed(self) -> int:
        return sum(1 for one in self.lessons if one.completed)


@dataclass(frozen=True)
class CourseView:
    """A course as one reader sees it. `open` says whether its lessons are open to them, `progress` is None unless
    enrolled.
    """

    course: Course
    enrolled: bool
    teaches: bool
    lessons: list[Lesson]
    progress: CourseProgress | None

    @property
    def open(self) -> bool:
        return self.enrolled or self.teaches

    @cached_property
    def seconds(self) -> int:
        """How long all its videos last together."""
        return sum(lesson.duration_seconds or 0 for lesson in self.lessons)

    @cached_property
    def next_lesson(self) -> Lesson | None:
        """Where to go on: where the learner left off, else the first lesson."""
        resume = self.progress.resume_lesson_id if self.progress else None
        return self._by_id.get(resume) if resume else next(iter(self.lessons), None)

    @cached_property
    def _by_id(self) -> dict[UUID, Lesson]:
        return {lesson.pk: lesson for lesson in self.lessons}

    @property
    def begun(self) -> bool:
        return self.progress is not None and (self.progress.percent > 0 or self.progress.completed > 0)

    @property
    def finished(self) -> bool:
        return self.progress is not None and self.progress.total > 0 and self.progress.completed == self.progress.total

    def outline(self, current: Lesson | None = None) -> list[OutlineSection]:
        known = self.progress.lessons if self.progress else {}
        sections: dict[int, OutlineSection] = {}
        for lesson in self.lessons:
            section = sections.setdefault(lesson.section_id, OutlineSection(lesson.section, []))
            section.lessons.append(OutlineLesson(lesson, known.get(lesson.pk), lesson == current))
        return list(sections.values())

    def neighbours(self, lesson: Lesson) -> tuple[Lesson | None, Lesson | None]:
        """The lessons before and after it, across sections."""
        place = self.lessons.index(lesson)
        return (
            self.lessons[place - 1] if place else None,
            self.lessons[place + 1] if place + 1 < len(self.lessons) else None,
        )


def catalogue(*, user: User | AnonymousUser, words: str = "", topic: str = "") -> CourseQuerySet:
    """Courses the user may see that hold all the words, each with `lesson_count` and `video_seconds`."""
    found = Course.objects.visible_to(user).matching(words)
    if topic:
        found = found.on_topic(topic)
    found = found.annotate(lesson_count=Count("lessons"), video_seconds=Sum("lessons__duration_seconds"))
    return found.order_by("title", "pk")


def topics(*, user: User | AnonymousUser, selected: str = "") -> list[Topic]:
    rows = (
        Course.objects.visible_to(user)
        .exclude(topic="")
        .order_by("topic")
        .values_list("topic")
        .annotate(courses=Count("pk", distinct=True))
    )
    return [Topic(name, count, name.casefold() == selected.casefold()) for name, count in rows]


def standing(*, user: User | AnonymousUser, course: Course) -> Standing:
    if not isinstance(user, User):
        return Standing(enrolled=False, teaches=False)
    return Standing(
        enrolled=Enrolment.objects.filter(user=user, course=course).exists(),
        teaches=user.is_administrator or course.instructors.filter(pk=user.pk).exists(),
    )


def course_view(*, user: User | AnonymousUser, course: Course) -> CourseView:
    """The course, its lessons in order, and how the user stands to it."""
    stands = standing(user=user, course=course)
    return CourseView(
        course=course,
        enrolled=stands.enrolled,
        teaches=stands.teaches,
        lessons=list(course.lessons.in_order().select_related("section").defer("body_md")),
        progress=progress_services.course_progress(user=user, course=course)
        if stands.enrolled and isinstance(user, User)
        else None,
    )


def enrolled_courses(*, user: User) -> list[CourseView]:
    """The user's courses, the newest enrolment first. A course withdrawn since is left out."""
    courses = Course.objects.visible_to(user).filter(enrolments__user=user).order_by("-enrolments__enrolled_at", "-pk")
    return [course_view(user=user, course=course) for course in courses]


def taught_courses(*, user: User) -> CourseQuerySet:
    return Course.objects.filter(instructors=user).annotate(lesson_count=Count("lessons")).order_by("title", "pk")


def cover_url(course: Course) -> str:
    """Where the course's picture is, or nothing."""
    try:
        return get_store().url(course.cover_key) if course.cover_key else ""
    except ContentError:
        return ""
