"""S3: what a browser meets. Terraform alone would need none of this."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from moto.s3.models import s3_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Answer, ApiError, Call

s3 = Service("s3")


@s3.guard(
    "GetObject",
    "HeadObject",
    "PutObject",
    because="moto serves a presigned URL for ever; on AWS it dies, and the player must be shown to renew it",
)
def refuse_expired(call: Call) -> None:
    query = parse_qs(call.environ.get("QUERY_STRING", ""))
    if "Signature" in query and "Expires" in query:  # signature version 2, which older SDKs still make
        if datetime.now(UTC).timestamp() > float(query["Expires"][0]):
            raise ApiError("AccessDenied", "Request has expired", 403)
        return
    if "X-Amz-Expires" not in query:
        return
    try:
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        life = timedelta(seconds=int(query["X-Amz-Expires"][0]))
    except (KeyError, ValueError):
        raise ApiError("AuthorizationQueryParametersError", "The presigned URL is not well formed.", 400) from None
    if not timedelta(0) <= life <= timedelta(days=7):
        raise ApiError("AuthorizationQueryParametersError", "X-Amz-Expires must be at most 604800 seconds.", 400)
    if datetime.now(UTC) > signed + life:
        raise ApiError("AccessDenied", "Request has expired", 403)


@s3.stub(
    "Preflight",
    because="moto lets any method and header through and needs every rule to match; AWS takes the first rule that "
    "matches origin, method and headers, and refuses when there is none",
)
def preflight(call: Call) -> Answer:
    environ = call.environ
    origin = environ.get("HTTP_ORIGIN", "")
    method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
    asked = [h.strip() for h in environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").split(",") if h.strip()]
    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(environ["PATH_INFO"].lstrip("/").split("/")[0])
    for rule in bucket.cors if bucket else []:
        headers = _listed(rule.allowed_headers)
        if (
            method in _listed(rule.allowed_methods)
            and any(_like(pattern, origin) for pattern in _listed(rule.allowed_origins))
            and all(any(_like(pattern, name) for pattern in headers) for name in asked)
        ):
            answer = [
                ("Access-Control-Allow-Origin", "*" if _listed(rule.allowed_origins) == ["*"] else origin),
                ("Access-Control-Allow-Methods", ", ".join(_listed(rule.allowed_methods))),
                ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
                ("Content-Length", "0"),
            ]
            if asked:
                answer.append(("Access-Control-Allow-Headers", ", ".join(asked)))
            if exposed := _listed(rule.exposed_headers):
                answer.append(("Access-Control-Expose-Headers", ", ".join(exposed)))
            if rule.max_age_seconds is not None:
                answer.append(("Access-Control-Max-Age", str(rule.max_age_seconds)))
            return 200, answer, b""
    raise ApiError("AccessForbidden", "CORSResponse: This CORS request is not allowed.", 403)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.IGNORECASE) is not None
