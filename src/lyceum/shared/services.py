"""Changes to what a course shares. The database decides about names and room, the file tree keeps the bytes."""

import logging
from collections.abc import Iterable
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from lyceum.accounts.models import User
from lyceum.courses.models import Course
from lyceum.shared.errors import NameTakenError, NoRoomError, RefusedError, StorageUnavailableError
from lyceum.shared.models import SharedFile, clean_name
from lyceum.shared.storage import BoundedStorage, Received, get_storage

logger = logging.getLogger(__name__)

MIB = 1024 * 1024


def share(*, course: Course, uploader: User, name: str, size: int, chunks: Iterable[bytes]) -> SharedFile:
    """Keep the bytes as a file of the course. Whatever is refused leaves nothing behind.

    `size` is what the sender says; what was written counts. Raises RefusedError and StorageUnavailableError.
    """
    try:
        name = clean_name(name)
    except ValidationError as error:
        raise RefusedError(error.messages[0]) from error
    _refuse(course, name, size)
    storage = get_storage()
    received = storage.receive(chunks)
    try:
        return _keep(course, uploader, name, received, storage)
    except BaseException:
        _discard(storage, received)
        raise


def _refuse(course: Course, name: str, size: int) -> None:
    """Raises RefusedError when a file of this name and size does not fit the course."""
    if size < 1:
        raise RefusedError("The file is empty.")
    if size > settings.SHARED_FILE_MAX_BYTES:
        raise NoRoomError(f"A file may have {settings.SHARED_FILE_MAX_BYTES // MIB} MB at most.")
    shared = SharedFile.objects.filter(course=course)
    if shared.filter(name__iexact=name).exists():
        raise NameTakenError(f"This course has a file named “{name}” already. Rename yours, or delete the other first.")
    have = shared.aggregate(files=Count("pk"), size=Sum("size"))
    if have["files"] >= settings.SHARED_COURSE_MAX_FILES:
        raise NoRoomError(f"A course may share {settings.SHARED_COURSE_MAX_FILES} files at most. Delete some first.")
    if (have["size"] or 0) + size > settings.SHARED_COURSE_MAX_BYTES:
        raise NoRoomError(
            f"The files of a course may have {settings.SHARED_COURSE_MAX_BYTES // MIB} MB together. Delete some first."
        )


def _keep(course: Course, uploader: User, name: str, received: Received, storage: BoundedStorage) -> SharedFile:
    made = SharedFile(
        id=uuid4(), course=course, name=name, size=received.size, sha256=received.sha256, uploader=uploader
    )
    try:
        with transaction.atomic():
            # One upload of a course at a time from here, on all servers: the room that is left is counted for all.
            Course.objects.select_for_update().get(pk=course.pk)
            _refuse(course, name, received.size)
            made.full_clean()
            made.save(force_insert=True)
            # Last: should the commit fail, a file without a row is left, which nobody sees and `check_shared_files`
            # takes away. A row without a file would be a promise.
            storage.publish(received, course_id=course.pk, file_id=made.pk)
    except (IntegrityError, ValidationError) as error:
        raise NameTakenError(f"This course has a file named “{name}” already.") from error
    return made


def _discard(storage: BoundedStorage, received: Received) -> None:
    try:
        storage.discard(received)
    except StorageUnavailableError:
        logger.warning("An upload that was refused is left among the incoming files.")


def delete(*, file: SharedFile) -> None:
    """Take the file away. Raises StorageUnavailableError when its bytes could not be: then it is still in the list.

    The bytes go first, so that what is said to be deleted is; safe to repeat.
    """
    get_storage().delete(course_id=file.course_id, file_id=file.pk)
    file.delete()
