"""Which stored bytes a browser may show in a page, and under which name it saves the others.

A course may hold anything its author uploaded. Formats that can run script on the origin that serves them (HTML, SVG,
XML …) are only ever offered for download; the list below says what may be shown instead of what may not.
"""

from urllib.parse import quote

SHOWN = {
    "application/pdf",
    "audio/aac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
    "image/avif", "image/gif", "image/jpeg", "image/png", "image/webp",
    "text/plain", "text/vtt",
    "video/mp4", "video/ogg", "video/webm",
}  # fmt: skip


def is_shown(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in SHOWN


def disposition(name: str) -> str:
    """A Content-Disposition that saves under the name, which may hold any character (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)[:150]
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:150], safe='')}"
