"""The API that the player uses: reports of what was watched, renewed tokens, renewed media addresses.

Signed-in sessions only, with Django's CSRF protection. Every refusal has the form `{"code": …, "detail": …}`. A player
drops a report that is refused with a 4xx, because sending it again cannot help, except for 401 and for a 403 that is
not `not-enrolled`: those say that the session has ended or is another account's, and the report is kept until its owner
signs in again.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, NoReturn
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.security import django_auth

from lyceum.accounts.models import User
from lyceum.progress import services
from lyceum.progress.errors import MalformedReportError, ProgressError

router = Router(tags=["progress"], auth=django_auth)


class ReportIn(Schema):
    """What was played since the page was opened, merged: times in seconds of the video.

    `elapsed_ms` is how long ago, by a monotonic clock, the token was received when the position was taken.
    """

    lesson_id: UUID = Field(description="The lesson.")
    report_id: str = Field(description="Made by the sender, new for each report: the same id again changes nothing.")
    token: str = Field(description="What the page, or the answer before, brought: it says when watching began.")
    elapsed_ms: int = Field(description="Milliseconds since the token was received.")
    position: float = Field(description="Where the video stands, in seconds.")
    stretches: list[tuple[float, float]] = Field(description="What was played: from and to, in seconds.")


class AnchorIn(Schema):
    """`token` is the page's former one, if it has one."""

    lesson_id: UUID = Field(description="The lesson.")
    token: str | None = Field(None, description="The page's former token.")


class OutcomeOut(Schema):
    """The lesson's state after what was taken, and the token for what comes next."""

    token: str = Field(description="For the next report.")
    position: float | None = Field(description="Where to go on, in seconds; null where nothing was watched.")
    percent: int = Field(description="How much of the video was watched.")
    watched_seconds: int = Field(description="The same in seconds, each counted once.")
    completed: bool = Field(description="Whether the lesson counts as completed.")


class MediaOut(Schema):
    """An address of the lesson's video or document that opens it for a while."""

    url: str = Field(description="Where it is fetched.")
    expires_at: datetime = Field(description="Until when.")
    expires_in: int = Field(description="For how many seconds from now.")


class RefusalOut(Schema):
    """Why it was not done."""

    code: str = Field(description="A word for programs.")
    detail: str = Field(description="A sentence for people.")


REFUSALS: dict[int, Any] = {400: RefusalOut, 403: RefusalOut, 404: RefusalOut, 409: RefusalOut, 503: RefusalOut}


def _refusing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Turns our own errors into answers, here, so that the router behaves the same wherever it is mounted."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return view(request, *args, **kwargs)
        except ProgressError as error:
            return Status(error.status, {"code": error.code, "detail": str(error)})

    return guarded


@router.post(
    "/progress/reports",
    response={200: OutcomeOut, **REFUSALS},
    url_name="progress-reports",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": ReportIn.model_json_schema()}}}},
)
@_refusing
def take_report(request: HttpRequest) -> services.ReportOutcome:
    """Takes what was watched. Idempotent: the same report may be sent any number of times, in any order."""
    body = _json_object(request)
    return services.report(
        user=_user(request),
        lesson_id=_lesson_id(body),
        token=body.get("token"),
        report_id=body.get("report_id"),
        elapsed_ms=body.get("elapsed_ms"),
        position=body.get("position"),
        stretches=body.get("stretches"),
    )


@router.post(
    "/progress/anchors",
    response={200: OutcomeOut, **REFUSALS},
    url_name="progress-anchors",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": AnchorIn.model_json_schema()}}}},
)
@_refusing
def renew_anchor(request: HttpRequest) -> services.ReportOutcome:
    """Issues a token that is anchored to the server's clock now, with the lesson's present state. Changes nothing."""
    body = _json_object(request)
    return services.anchor(user=_user(request), lesson_id=_lesson_id(body), token=body.get("token"))


@router.get("/lessons/{uuid:lesson_id}/media", response={200: MediaOut, **REFUSALS}, url_name="lesson-media")
@_refusing
def renew_media(request: HttpRequest, lesson_id: UUID) -> services.MediaLink:
    """Where the lesson's video or document can be fetched now, and for how long."""
    return services.media_link(user=_user(request), lesson_id=lesson_id)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("the router lets nobody in who is not signed in")
    return request.user


def _json_object(request: HttpRequest) -> dict[str, Any]:
    """The body, read by ourselves: NaN and Infinity are no JSON, and a refusal must name what is wrong."""
    try:
        body = json.loads(request.body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedReportError("The body must be a JSON object.") from error
    if not isinstance(body, dict):
        raise MalformedReportError("The body must be a JSON object.")
    return body


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def _lesson_id(body: dict[str, Any]) -> UUID:
    try:
        return UUID(str(body.get("lesson_id")))
    except ValueError as error:
        raise MalformedReportError("`lesson_id` must be the lesson's UUID.") from error
