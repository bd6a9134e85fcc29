"""S3: what a browser meets. Terraform alone would need none of this."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from lyceum_lab.emulator import ACCOUNT, ROOT_KEY, ROOT_SECRET, signatures
from lyceum_lab.emulator.fillers import EVERY, Service
from lyceum_lab.emulator.wire import Answer, ApiError, Call

s3 = Service("s3", needed_by="browsers")


@s3.guard(
    EVERY,
    because="moto serves a presigned URL for ever; on AWS it dies, and the player must be shown to renew it",
)
def refuse_expired(call: Call) -> None:
    query = parse_qs(call.environ.get("QUERY_STRING", ""))
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


@s3.guard(
    EVERY,
    because="moto opens any key to any signature; on AWS a presigned URL opens what it was made for and nothing else",
)
def refuse_forged(call: Call) -> None:
    environ = call.environ
    authorized = "HTTP_AUTHORIZATION" in environ
    presigned = signatures.read(environ)
    if presigned is None:
        # Moto takes these letters anywhere in the address for a signature. As version 2 they would be one, and AWS
        # accepts that for no bucket made since June 2020.
        if not authorized and "Signature=" in unquote(environ.get("REQUEST_URI", "")):
            raise ApiError("InvalidRequest", f"Please use {signatures.ALGORITHM}.", 400)
        return
    if authorized:
        raise ApiError("InvalidArgument", "Only one auth mechanism allowed.", 400)
    secret = _secret(presigned.access_key, presigned.token)
    if not signatures.is_right(presigned, environ, secret):
        raise ApiError("SignatureDoesNotMatch", "The signature does not match the one that was calculated.", 403)
    if unsigned := signatures.unsigned_headers(presigned, environ):
        raise ApiError("AccessDenied", f"There were headers which were not signed: {', '.join(unsigned)}", 403)


def _secret(access_key: str, token: str) -> str:
    """The secret of the administrator, of a user or of an assumed role; ApiError when there is none to this key."""
    if access_key.startswith("ASIA"):
        for role in sts_backends[ACCOUNT]["aws"].assumed_roles:
            if role.access_key_id == access_key:
                if not hmac.compare_digest(str(role.session_token).encode(), token.encode("latin-1")):
                    raise ApiError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
                if role.expiration < utcnow():
                    raise ApiError("ExpiredToken", "The provided token has expired.", 400)
                return str(role.secret_access_key)
    elif token:
        raise ApiError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    elif access_key == ROOT_KEY:
        return ROOT_SECRET
    for user in iam_backends[ACCOUNT]["aws"].users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key and key.status == "Active":
                return str(key.secret_access_key)
    raise ApiError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)


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
