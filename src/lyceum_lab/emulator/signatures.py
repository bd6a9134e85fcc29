"""Presigned S3 URLs: what Signature Version 4 says about one, recomputed from the request as it arrived.

A presigned URL is the only permission that a browser ever shows to the bucket. If any signature opened any key, a
rehearsal could not tell a platform that signs rightly from one that does not. Only the query form is here; signatures
in the Authorization header, and those of posted forms, are not computed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from lyceum_lab.emulator.wire import VIRTUAL_HOST, ApiError, Environ

ALGORITHM = "AWS4-HMAC-SHA256"
PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)


@dataclass(frozen=True)
class Presigned:
    """The claims of one presigned URL; `token` is "" without a session, `scope` is date/region/service/aws4_request."""

    access_key: str
    scope: str
    date: str
    signed_headers: tuple[str, ...]
    signature: str
    token: str


def read(environ: Environ) -> Presigned | None:
    """The claims of the request's query; None when it makes none. Raises ApiError (400) when they are not whole."""
    pairs = _query(environ)
    if not any(name in PARAMETERS for name, _ in pairs):
        return None
    names = [name for name, _ in pairs]
    if any(names.count(name) != 1 for name in PARAMETERS) or names.count("X-Amz-Security-Token") > 1:
        raise _malformed(f"Query-string authentication version 4 requires each of {', '.join(PARAMETERS)} once.")
    claims = dict(pairs)
    access_key, _, scope = claims["X-Amz-Credential"].partition("/")
    if claims["X-Amz-Algorithm"] != ALGORITHM:
        raise _malformed(f'X-Amz-Algorithm only supports "{ALGORITHM}".')
    if not re.fullmatch(r"\d{8}/[a-z0-9-]+/s3/aws4_request", scope) or scope[:8] != claims["X-Amz-Date"][:8]:
        raise _malformed("X-Amz-Credential must name the date of X-Amz-Date, a region, s3 and aws4_request.")
    headers = tuple(claims["X-Amz-SignedHeaders"].split(";"))
    if "host" not in headers:
        raise _malformed("X-Amz-SignedHeaders must name host.")
    token = claims.get("X-Amz-Security-Token", "")
    return Presigned(access_key, scope, claims["X-Amz-Date"], headers, claims["X-Amz-Signature"], token)


def is_right(presigned: Presigned, environ: Environ, secret: str) -> bool:
    """Whether the holder of `secret` signed this very request: method, host, path, query and the headers it names."""
    key = f"AWS4{secret}".encode()
    for part in presigned.scope.split("/"):
        key = _hmac(key, part)
    digest = hashlib.sha256(_canonical_request(presigned, environ).encode("latin-1")).hexdigest()
    expected = _hmac(key, "\n".join([ALGORITHM, presigned.date, presigned.scope, digest])).hex()
    return hmac.compare_digest(expected.encode(), presigned.signature.encode("latin-1", "replace"))


def unsigned_headers(presigned: Presigned, environ: Environ) -> list[str]:
    """The x-amz- headers of the request that the URL does not sign; each changes what S3 does, so AWS wants none."""
    sent = [name[5:].lower().replace("_", "-") for name in environ if name.startswith("HTTP_X_AMZ_")]
    return sorted(name for name in sent if name not in presigned.signed_headers)


def _canonical_request(presigned: Presigned, environ: Environ) -> str:
    # WSGI's strings are bytes spelled as latin-1, and so is everything here: any encoding of a key survives.
    query = sorted((_quote(n), _quote(v)) for n, v in _query(environ) if n != "X-Amz-Signature")
    headers = {name: " ".join(_header(environ, name).split()) for name in presigned.signed_headers}
    return "\n".join(
        [
            environ["REQUEST_METHOD"],
            quote(unquote_to_bytes(_path(environ).encode("latin-1")), safe="/~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            ";".join(presigned.signed_headers),
            headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ]
    )


def _path(environ: Environ) -> str:
    # As it was sent: PATH_INFO has lost leading slashes, which belong to a key. A proxy's request names the host too.
    sent = str(environ.get("REQUEST_URI") or quote(environ["PATH_INFO"], encoding="latin-1"))
    return re.sub(r"^https?://[^/?]*", "", sent).partition("?")[0] or "/"


def _query(environ: Environ) -> list[tuple[str, str]]:
    return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, encoding="latin-1")


def _header(environ: Environ, name: str) -> str:
    if name == "host" and VIRTUAL_HOST in environ:
        return str(environ[VIRTUAL_HOST])
    variable = name.upper().replace("-", "_")
    return str(environ.get(variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{variable}", ""))


def _quote(text: str) -> str:
    return quote(text, safe="-_.~", encoding="latin-1")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("latin-1", "replace"), hashlib.sha256).digest()


def _malformed(message: str) -> ApiError:
    return ApiError("AuthorizationQueryParametersError", message, 400)
