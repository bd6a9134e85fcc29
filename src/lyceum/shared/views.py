"""The page of a course's shared files: list, upload, download, delete."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import BinaryIO, Concatenate, ParamSpec
from uuid import UUID

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lyceum.accounts.models import User
from lyceum.content.types import disposition
from lyceum.courses.models import Course
from lyceum.shared import selectors, services
from lyceum.shared.errors import FileMissingError, RefusedError, StorageUnavailableError
from lyceum.shared.forms import ShareForm
from lyceum.shared.models import SharedFile
from lyceum.shared.selectors import SharedSpace
from lyceum.shared.storage import BoundedStorage, get_storage
from lyceum.shared.transfers import BusyError, DeadlineHandler, TooSlowError, Transfer, transfer
from lyceum.web import errors

logger = logging.getLogger(__name__)
P = ParamSpec("P")

CHUNK = 1024 * 1024
# Handed to the server whole, which then needs no thread of ours to send it; larger ones are streamed.
WHOLE = 2 * 1024 * 1024


def for_people_of_the_course(
    view: Callable[Concatenate[HttpRequest, SharedSpace, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
    """Gives the view the shared space of the course; sends others to sign in or to the course's page.

    When the file system does not answer, that is what the visitor is told, and the rest of the site goes on.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        course = get_object_or_404(Course.objects.visible_to(request.user), slug=slug)
        if not isinstance(request.user, User):
            messages.info(request, "Sign in to see the files of this course.")
            return redirect_to_login(course.get_absolute_url())
        space = selectors.space(user=request.user, course=course)
        if space is None:
            messages.info(request, "Enrol in the course first; then its shared files are open to you.")
            return redirect(course)
        try:
            return view(request, space, *args, **kwargs)
        except StorageUnavailableError as error:
            logger.warning("The shared files do not answer.", exc_info=error)
            text = "The files of this course cannot be reached just now. The lessons are not affected. Try again soon."
            return errors.unavailable(request, text, retry_seconds=30)

    return wrapped  # type: ignore[return-value]  # mypy does not let `slug` be given by name


def _page(request: HttpRequest, space: SharedSpace, form: ShareForm, status: int = 200) -> HttpResponse:
    get_storage().probe()
    response = render(
        request,
        "shared/files.html",
        {"course": space.course, "files": space.files(), "form": form},
        status=status,
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@for_people_of_the_course
def files(request: HttpRequest, space: SharedSpace) -> HttpResponseBase:
    return _page(request, space, ShareForm())


# The token is in the body. It is looked for (below) once it is known that the body is worth reading: whoever may not
# upload, or too often, is refused with nothing read.
@csrf_exempt
@require_http_methods(["GET", "POST"])
@for_people_of_the_course
def upload(request: HttpRequest, space: SharedSpace) -> HttpResponseBase:
    if request.method == "GET":  # a refused upload's page, reloaded
        return redirect("shared-files", space.course.slug)
    if not ratelimit.consume(
        request, app="lyceum.shared", action="upload", config=settings.SHARED_RATE_LIMITS, user=space.user
    ):
        return errors.too_many(request, "You have shared many files in a short time. Wait some minutes and go on then.")
    try:
        with transfer() as current:
            request.upload_handlers.insert(0, DeadlineHandler(current))
            return _share(request, space)
    except BusyError:
        text = "Other files are on their way just now. Nothing was changed: go back and send yours again in a minute."
        return errors.busy(request, text, retry_seconds=60)
    except TooSlowError:
        return errors.too_slow(request)


@csrf_protect
def _share(request: HttpRequest, space: SharedSpace) -> HttpResponse:
    form = ShareForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, space, form, status=400)
    given: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        shared = services.share(
            course=space.course,
            uploader=space.user,
            name=given.name or "",
            size=given.size or 0,
            chunks=given.chunks(),
        )
    except RefusedError as error:
        form.add_error("file", str(error))
        return _page(request, space, form, status=error.status)
    messages.success(request, f"“{shared.name}” is shared with everyone in this course.")
    return redirect("shared-files", space.course.slug)


def _file(space: SharedSpace, file_id: UUID) -> SharedFile:
    found = space.file(file_id)
    if found is None:
        raise Http404("No such file in this course.")
    return found


@require_safe
@for_people_of_the_course
def download(request: HttpRequest, space: SharedSpace, file_id: UUID) -> HttpResponseBase:
    file, storage = _file(space, file_id), get_storage()
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": disposition(file.name),
        "Content-Length": str(file.size),
        # Somebody's upload: saved, never shown, and should a browser show it all the same, it may do nothing.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    kind = "application/octet-stream"
    try:
        if request.method == "HEAD":
            return HttpResponse(content_type=kind, headers=headers)
        if file.size <= WHOLE:
            content = storage.read_whole(course_id=space.course.pk, file_id=file.pk)
            if len(content) != file.size:
                raise FileMissingError("This file's content is not what was shared.")
            return HttpResponse(content, content_type=kind, headers=headers)
        stream = _Stream(storage, file)
    except FileMissingError as error:
        logger.error("A shared file is in the list, but its content is not in the tree.")
        raise Http404(str(error)) from error
    except BusyError:
        text = "Other large files are on their way just now. Yours is tried again by itself in a few seconds."
        answer = errors.busy(request, text, retry_seconds=5)
        answer["Refresh"] = "5"
        return answer
    return StreamingHttpResponse(stream, content_type=kind, headers=headers)


class _Stream:
    """A file in chunks, for as long as a transfer may take. Closed by the server, also when the reader went away."""

    def __init__(self, storage: BoundedStorage, file: SharedFile) -> None:
        self._transfer = Transfer()
        try:
            self._file: BinaryIO = storage.open(course_id=file.course_id, file_id=file.pk)
        except BaseException:
            self._transfer.end()
            raise
        self._storage, self._left = storage, file.size

    def __iter__(self) -> "_Stream":
        return self

    def __next__(self) -> bytes:
        if self._left <= 0:
            self.close()
            raise StopIteration
        try:
            chunk = b"" if self._transfer.late else self._storage.read(self._file, min(CHUNK, self._left))
        except StorageUnavailableError:
            chunk = b""
        if not chunk:
            # Shorter than announced: the server breaks the connection, and the reader's browser says that it failed.
            logger.warning("A download was cut short.")
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        # Not the file: closing it may hang. It goes with this object, after a read that may still be under way.
        self._transfer.end()


@require_POST
@for_people_of_the_course
def delete(request: HttpRequest, space: SharedSpace, file_id: UUID) -> HttpResponseBase:
    file = _file(space, file_id)
    if not space.may_delete(file):
        raise PermissionDenied("Only whoever shared a file, and who teaches the course, can delete it.")
    services.delete(file=file)
    messages.success(request, f"“{file.name}” is deleted.")
    return redirect("shared-files", space.course.slug)
