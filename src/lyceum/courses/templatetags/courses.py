"""How pages write what courses hold: lengths of time, covers, percentages."""

from zlib import crc32

from django import template

from lyceum.accounts.models import User
from lyceum.accounts.selectors import display_name
from lyceum.courses.models import Course
from lyceum.courses.selectors import COVER_PATTERNS, cover_url

register = template.Library()

register.filter("cover_url", cover_url)


@register.filter
def cover_pattern(course: Course) -> int:
    """Which of the drawn covers (1 to COVER_PATTERNS) stands in for a picture; the same one every time."""
    return crc32(course.slug.encode()) % COVER_PATTERNS + 1


@register.filter
def duration(seconds: float | None) -> str:
    """`45 s`, `4 min`, `1 h 5 min`: seconds only below a minute, else minutes, rounded up."""
    whole = int(seconds or 0)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


@register.filter
def shown_name(user: User) -> str:
    return display_name(user)
