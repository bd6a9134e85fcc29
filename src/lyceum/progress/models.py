"""Progress as rows, for installations that keep it in the platform's own database.

The shape is that of the DynamoDB item, one row a learner and lesson, so that moving from one store to the other is a
copy. Ids are plain columns and no foreign keys for the same reason: a store knows neither accounts nor courses.
"""

from typing import ClassVar

from django.db import models


class LessonProgress(models.Model):
    """`watched` holds a bit a bucket, the lowest first; times are milliseconds since the epoch."""

    user_id = models.BigIntegerField()
    course_id = models.BigIntegerField()
    lesson_id = models.UUIDField()
    watched = models.BinaryField(default=b"")
    position_ms = models.PositiveIntegerField(null=True)
    position_order = models.CharField(max_length=100, default="")
    completed_at_ms = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user_id", "course_id", "lesson_id"], name="progress_is_one_per_learner_and_lesson"
            ),
        ]

    def __str__(self) -> str:
        return f"learner {self.user_id}, lesson {self.lesson_id}"
