"""What every answer of the site carries, and what no request may bring: health, the Content Security Policy, body
limits.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from lyceum.content import get_store
from lyceum.web import errors, readiness

GetResponse = Callable[[HttpRequest], HttpResponseBase]
HEALTH = {"/healthz", "/readyz"}


class HealthMiddleware:
    """Answers /healthz: 200 when the database answers, else 503; and /readyz: which of all stores answer, by name.

    A load balancer asks by address and over plain HTTP, so this stands before the checks of host and scheme.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in HEALTH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        answer = self._ready() if request.path_info == "/readyz" else self._healthy()
        answer["Cache-Control"] = "no-store"
        return answer

    @staticmethod
    def _healthy() -> JsonResponse:
        try:
            readiness.database()
        except DatabaseError:
            return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
        return JsonResponse({"status": "ok", "database": "ok"})

    @staticmethod
    def _ready() -> JsonResponse:
        failed = readiness.kept.failed()
        told = {name: "failed" if name in failed else "ok" for name in readiness.CHECKS}
        return JsonResponse(
            {"status": "unavailable" if failed else "ok", "checks": told}, status=503 if failed else 200
        )


class ContentSecurityPolicyMiddleware:
    """Pages run this site's own scripts and styles and nothing else; pictures and media also come from the content
    store.

    An answer that brings its own policy (stored content) keeps it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    @staticmethod
    def policy(content_origin: str) -> str:
        content = f"'self' {content_origin}".strip()
        return "; ".join(
            [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "font-src 'self'",
                "connect-src 'self'",
                "manifest-src 'self'",
                f"img-src {content} data:",
                f"media-src {content}",
                f"frame-src {content}",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ]
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = self.policy(get_store().origin)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        return response


class BodyLimitMiddleware:
    """Refuses a body that is too large before a byte of it is read.

    A body without a Content-Length cannot slip through: WSGI gives the application none of it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # "OPTIONS *" begins as no address does.
        limit = next(
            (limit for start, limit in settings.BODY_LIMITS.items() if request.path_info.startswith(start)),
            settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        )
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            return errors.bad_request(request)
        return errors.too_large(request, limit) if int(length) > limit else self.get_response(request)


class ApiRefusalMiddleware:
    """Keeps the API's promise about errors for a wrong method, which its router refuses in plain text."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 405 and request.path_info.startswith("/api/"):
            return errors.wrong_method(request, response["Allow"])
        return response
