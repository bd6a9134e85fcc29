"""Captions from the platform itself: small texts that a browser loads from the page's own origin without CORS."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lyceum.accounts.models import User
from lyceum.content import MissingContentError, get_store
from lyceum.progress import services
from lyceum.progress.errors import ProgressError

MAX_CAPTION_BYTES: Final = 2 * 1024 * 1024


@require_safe
def captions(request: HttpRequest, lesson_id: UUID, language: str) -> HttpResponse:
    """The WebVTT track of a lesson in a language, open to whom the lesson is open."""
    if not isinstance(request.user, User):
        return _sentence(HTTPStatus.UNAUTHORIZED, "Sign in to read the captions.")
    try:
        lesson = services.lesson_for(user=request.user, lesson_id=lesson_id)
    except ProgressError as error:
        return _sentence(error.status, str(error))
    key = next((track["key"] for track in lesson.captions if track["language"] == language), None)
    if key is None:
        return _sentence(HTTPStatus.NOT_FOUND, "There are no captions in this language.")
    try:
        with get_store().open(key) as file:
            text = file.read(MAX_CAPTION_BYTES + 1)
    except MissingContentError:
        return _sentence(HTTPStatus.NOT_FOUND, "The captions are missing.")
    if len(text) > MAX_CAPTION_BYTES:
        return _sentence(HTTPStatus.NOT_FOUND, "The captions are too long to be shown.")
    response = HttpResponse(text, content_type="text/vtt; charset=utf-8")
    response["Cache-Control"] = "private, max-age=300"
    return response


def _sentence(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
