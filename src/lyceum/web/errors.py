"""Error pages in plain words: what happened, and what the visitor can do. The API is answered in JSON.

Nothing of an exception is shown, except the sentence of a PermissionDenied, which is written for the visitor.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def _error(request: HttpRequest, status: int, code: str, title: str, text: str) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": code, "detail": text}, status=status)
    return render(request, "web/error.html", {"status": status, "title": title, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "Your browser sent something this site could not read. Go back, reload the page and try again."
    return _error(request, 400, "bad-request", "That request made no sense to us", text)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "Your account may not open this page. If you think it should, ask the person who runs this site."
    if isinstance(exception, PermissionDenied) and exception.args:
        text = str(exception.args[0])
    return _error(request, 403, "forbidden", "This page is not open to you", text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = (
        "The form was too old, or your browser does not keep this site's cookies. Nothing was changed. "
        "Go back, reload the page and send it again."
    )
    return _error(request, 403, "csrf-failed", "That form could not be accepted", text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "There is nothing at this address, or it is not open to you. The catalogue lists every course you can take."
    return _error(request, 404, "not-found", "We could not find that page", text)


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    text = f"This address takes {allowed}, and not {request.method}. Nothing was changed."
    answer = _error(request, 405, "wrong-method", "That cannot be done here", text)
    answer["Allow"] = allowed
    return answer


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    allowed = f"{limit // 1024**2} MB" if limit >= 1024**2 else f"{limit // 1024} KiB"
    text = f"What was sent is larger than the {allowed} this address takes. Nothing was changed."
    return _error(request, 413, "too-large", "That was too much at once", text)


def too_many(request: HttpRequest, text: str) -> HttpResponse:
    return _error(request, 429, "too-many", "That was too often", text)


def too_slow(request: HttpRequest) -> HttpResponse:
    text = "What you sent took too long to arrive. Nothing was changed. Try again where the connection is better."
    return _error(request, 408, "too-slow", "That took too long", text)


def busy(request: HttpRequest, text: str, *, retry_seconds: int) -> HttpResponse:
    """Not a 5xx: a server that is used as much as it may be is no fault that somebody should be woken for."""
    answer = _error(request, 429, "busy", "Others came first", text)
    answer["Retry-After"] = str(retry_seconds)
    return answer


def unavailable(request: HttpRequest, text: str, *, retry_seconds: int) -> HttpResponse:
    answer = _error(request, 503, "unavailable", "Not available just now", text)
    answer["Retry-After"] = str(retry_seconds)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    text = "Something went wrong on our side and has been noted in the log. Try again in a moment."
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": "server-error", "detail": text}, status=500)
    # Without the request: context processors ask the database who is signed in, and it may be what failed.
    return render(
        None, "web/error_standalone.html", {"status": 500, "title": "Something broke", "text": text}, status=500
    )
