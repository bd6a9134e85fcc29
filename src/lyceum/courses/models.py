"""Courses as their readers see them: a course has sections, a section has lessons, and a lesson is text, a video or a
document.

Bytes (videos, documents, pictures) are not here: a lesson keeps the key under which the content store has them.
Which rows a reader may see is decided on the QuerySets, once, and the database refuses lessons that no page could show.
"""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from lyceum.accounts.models import User

LONGEST_LESSON_SECONDS = 6 * 3600
# As many as a folder's Markdown may have bytes, and for the same reason: every view renders it. A test compares.
LONGEST_MARKDOWN = 32 * 1024


def _check_markdown(field: str, text: str) -> None:
    if len(text) > LONGEST_MARKDOWN:
        longest = f"{LONGEST_MARKDOWN:,}".replace(",", " ")
        raise ValidationError({field: f"The text may have {longest} characters at most: divide it."})


class CourseQuerySet(models.QuerySet["Course"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Published courses; their instructors and administrators also see drafts."""
        if not user.is_authenticated:
            return self.filter(published=True)
        if user.is_administrator:
            return self
        taught = Course.instructors.through.objects.filter(user_id=user.pk).values("course_id")
        return self.filter(Q(published=True) | Q(pk__in=taught))

    def matching(self, words: str) -> Self:
        """Courses in which each of the words occurs in the title, the summary, the description or the topic."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(
                Q(title__icontains=word)
                | Q(summary__icontains=word)
                | Q(description_md__icontains=word)
                | Q(topic__icontains=word)
            )
        return found

    def on_topic(self, topic: str) -> Self:
        return self.filter(topic__iexact=topic)


class Course(models.Model):
    class Level(models.TextChoices):
        BEGINNER = "beginner", "Beginner"
        INTERMEDIATE = "intermediate", "Intermediate"
        ADVANCED = "advanced", "Advanced"

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    description_md = models.TextField(blank=True)
    topic = models.CharField(max_length=60, blank=True, db_index=True)
    level = models.CharField(max_length=16, choices=Level.choices, default=Level.BEGINNER)
    language = models.CharField(max_length=12, default="en")
    cover_key = models.CharField(max_length=300, blank=True)
    published = models.BooleanField(default=False)
    instructors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="courses_taught", blank=True)
    folder_digest = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__in=["beginner", "intermediate", "advanced"]), name="course_level_is_known"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="course_has_a_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("course", args=[self.slug])

    def clean(self) -> None:
        super().clean()
        _check_markdown("description_md", self.description_md)


class Section(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="sections")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=120)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "slug"], name="section_slug_is_unique_in_its_course"),
        ]

    def __str__(self) -> str:
        return self.title


class LessonQuerySet(models.QuerySet["Lesson"]):
    def in_order(self) -> Self:
        """As a learner walks through the course."""
        return self.order_by("section__position", "section_id", "position", "slug")


class Lesson(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        VIDEO = "video", "Video"
        DOCUMENT = "document", "Document"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="lessons")
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="lessons")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    position = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.TEXT)
    body_md = models.TextField(blank=True)
    media_key = models.CharField(max_length=300, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    media_bytes = models.PositiveBigIntegerField(default=0)
    poster_key = models.CharField(max_length=300, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    captions: "models.JSONField[list[dict[str, Any]]]" = models.JSONField(default=list, blank=True)

    objects = LessonQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["position", "slug"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "slug"], name="lesson_slug_is_unique_in_its_course"),
            models.CheckConstraint(condition=Q(kind__in=["text", "video", "document"]), name="lesson_kind_is_known"),
            models.CheckConstraint(
                condition=Q(duration_seconds__isnull=True)
                | Q(duration_seconds__gte=1, duration_seconds__lte=LONGEST_LESSON_SECONDS),
                name="lesson_lasts_1_second_to_6_hours",
            ),
            models.CheckConstraint(
                condition=~Q(kind="video") | Q(duration_seconds__isnull=False), name="lesson_video_has_a_duration"
            ),
            models.CheckConstraint(condition=Q(kind="text") | ~Q(media_key=""), name="lesson_media_has_a_key"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("lesson", args=[self.course.slug, self.slug])

    def clean(self) -> None:
        super().clean()
        _check_markdown("body_md", self.body_md)
        if self.section_id and self.course_id and self.section.course_id != self.course_id:
            raise ValidationError({"section": "The section belongs to another course."})


class Enrolment(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrolments")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="enrolments")
    enrolled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-enrolled_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "course"], name="enrolment_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.course}"
