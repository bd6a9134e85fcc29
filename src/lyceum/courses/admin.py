"""What administrators may look at and mend by hand. Courses usually come from folders, so media keys are shown, not
edited.
"""

from typing import TYPE_CHECKING

from django.contrib import admin

from lyceum.courses.models import Course, Enrolment, Lesson, Section

if TYPE_CHECKING:
    CourseAdminBase = admin.ModelAdmin[Course]
    LessonAdminBase = admin.ModelAdmin[Lesson]
    EnrolmentAdminBase = admin.ModelAdmin[Enrolment]
    SectionInlineBase = admin.TabularInline[Section, Course]
else:
    CourseAdminBase = LessonAdminBase = EnrolmentAdminBase = admin.ModelAdmin
    SectionInlineBase = admin.TabularInline


class SectionInline(SectionInlineBase):
    model = Section
    extra = 0
    fields = ("position", "slug", "title")


@admin.register(Course)
class CourseAdmin(CourseAdminBase):
    list_display = ("title", "topic", "level", "published", "updated_at")
    list_filter = ("published", "level", "topic")
    search_fields = ("title", "slug", "summary")
    autocomplete_fields = ("instructors",)
    readonly_fields = ("cover_key", "folder_digest", "created_at", "updated_at")
    inlines = (SectionInline,)


@admin.register(Lesson)
class LessonAdmin(LessonAdminBase):
    list_display = ("title", "course", "section", "kind", "position")
    list_filter = ("kind", "course")
    list_select_related = ("course", "section")
    search_fields = ("title", "slug", "course__title")
    autocomplete_fields = ("course",)
    readonly_fields = ("id", "media_key", "media_type", "media_bytes", "poster_key", "captions")


@admin.register(Enrolment)
class EnrolmentAdmin(EnrolmentAdminBase):
    list_display = ("user", "course", "enrolled_at")
    list_select_related = ("user", "course")
    search_fields = ("user__email", "course__title")
    autocomplete_fields = ("user", "course")
    readonly_fields = ("enrolled_at",)
