"""Questions the pages ask about shared files."""

from dataclasses import dataclass
from uuid import UUID

from lyceum.accounts.models import User
from lyceum.courses import selectors as course_selectors
from lyceum.courses.models import Course
from lyceum.shared.models import SharedFile


@dataclass(frozen=True, slots=True)
class SharedSpace:
    """The files of a course as one of its people sees them."""

    course: Course
    user: User
    teaches: bool

    def files(self) -> list[tuple[SharedFile, bool]]:
        """Each file, the newest first, and whether the reader may delete it."""
        found = SharedFile.objects.filter(course=self.course).select_related("uploader")
        return [(file, self.may_delete(file)) for file in found]

    def file(self, file_id: UUID) -> SharedFile | None:
        return SharedFile.objects.filter(course=self.course, pk=file_id).first()

    def may_delete(self, file: SharedFile) -> bool:
        return self.teaches or file.uploader_id == self.user.pk


def space(*, user: User, course: Course) -> SharedSpace | None:
    """The course's files, or None for somebody who neither learns nor teaches there."""
    standing = course_selectors.standing(user=user, course=course)
    return SharedSpace(course, user, standing.teaches) if standing.enrolled or standing.teaches else None
