"""Serves content kept in a folder, to whoever holds an address that the store signed and that has not expired.

The signature is the permission, as with a presigned address of a bucket: a page shows the address only to those who
may see it.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from lyceum.content.folder import FolderStore, verify
from lyceum.content.keys import InvalidKeyError, MissingContentError
from lyceum.content.store import get_store
from lyceum.content.types import disposition, is_shown

CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def _wanted(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for, or None when the header is to be ignored (RFC 9110: malformed, or several ranges).

    Raises ValueError when no byte of it exists (416).
    """
    match = RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise ValueError
        return max(0, size - int(last)), size - 1
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise ValueError
    return start, end


def _chunks(file: BinaryIO, count: int) -> Iterator[bytes]:
    with file:
        while count > 0 and (chunk := file.read(min(CHUNK, count))):
            count -= len(chunk)
            yield chunk


@require_safe
def content(request: HttpRequest, key: str) -> HttpResponseBase:
    store = get_store()
    if not isinstance(store, FolderStore):
        raise Http404("Content is not served from here.")
    name = request.GET.get("name", "")
    try:
        verify(key, expires=request.GET.get("expires", ""), name=name, signature=request.GET.get("signature", ""))
        file = store.open(key)
    except BadSignature as error:
        raise PermissionDenied(
            "This address has expired or was not given out by this site. Go back to the lesson."
        ) from error
    except (InvalidKeyError, MissingContentError) as error:
        raise Http404("Nothing is stored here.") from error

    status = os.fstat(file.fileno())
    size = status.st_size
    etag = f'"{hashlib.sha256(f"{key}:{status.st_mtime_ns}:{size}".encode()).hexdigest()[:32]}"'
    content_type = store.content_type(key)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "ETag": etag,
        "Last-Modified": http_date(status.st_mtime),
        # The bytes are somebody's upload: whatever they are, they may do nothing here.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
    }
    if name or not is_shown(content_type):
        headers["Content-Disposition"] = disposition(name or key.rpartition("/")[2])
    if not is_shown(content_type):
        content_type = "application/octet-stream"

    if request.headers.get("If-None-Match") == etag:
        file.close()
        return HttpResponse(status=304, headers=headers)
    span = None
    if request.headers.get("If-Range", etag) == etag:
        try:
            span = _wanted(request.headers.get("Range", ""), size)
        except ValueError:
            file.close()
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, end = span or (0, size - 1)
    headers["Content-Length"] = str(end - start + 1)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    code = 206 if span else 200
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=code, content_type=content_type, headers=headers)
    file.seek(start)
    return StreamingHttpResponse(
        _chunks(file, end - start + 1), status=code, content_type=content_type, headers=headers
    )
