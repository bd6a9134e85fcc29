"""One line a request in the log, and the id that ties it to every other line of that request."""

import logging
import re
import secrets
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject, empty

from lyceum.web.logs import request_id
from lyceum.web.middleware import HEALTH, GetResponse

logger = logging.getLogger("lyceum.request")

# As the load balancer writes it; whatever else a visitor sends under this name is not repeated.
TRACE = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def identify(trace: str) -> str:
    """The id of a request: the load balancer's, or a new one of the same shape."""
    found = TRACE.search(trace[:500])
    return found[1] if found else f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def route(request: HttpRequest) -> str:
    """The pattern of the address, which holds no id and no token."""
    if request.resolver_match is not None:
        return "/" + request.resolver_match.route
    # Answered before the list of addresses was asked: a style sheet, a body that was too large, no such address.
    return f"{settings.STATIC_URL}…" if request.path_info.startswith(settings.STATIC_URL) else "(none)"


def user_id(request: HttpRequest) -> int | None:
    """Who is signed in, if the answer depended on it: to ask would cost each request a query."""
    user = getattr(request, "user", None)
    if type(user) is SimpleLazyObject and user.__dict__.get("_wrapped", empty) is empty:
        return None
    return getattr(user, "pk", None)


class RequestLogMiddleware:
    """First of all, so that nothing answers unseen. Checks of health are not logged, unless they fail: then Django
    says so.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        mine = identify(request.META.get("HTTP_X_AMZN_TRACE_ID", ""))
        # Not taken back at the end: Django says that an answer is an error after the last middleware.
        request_id.set(mine)
        began = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-ID"] = mine
        if request.path_info not in HEALTH:
            fields = {
                "method": request.method if request.method in METHODS else "(other)",
                "route": route(request),
                "status": response.status_code,
                # Until the answer begins: a download goes on.
                "duration_ms": round((time.perf_counter() - began) * 1000, 1),
                "user_id": user_id(request),
            }
            logger.info("request", extra={"fields": fields})
        return response
