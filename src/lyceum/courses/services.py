"""Changes to who learns what."""

from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment


def enrol(*, user: User, course: Course) -> bool:
    """Enrols the learner; True when that is new. The course must be visible to the user.

    Safe to repeat and to race: the database keeps one enrolment a learner and course.
    """
    _, created = Enrolment.objects.get_or_create(user=user, course=course)
    return created
