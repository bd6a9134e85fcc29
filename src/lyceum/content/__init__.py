"""The bytes of courses: videos, documents and pictures, in a folder or in a bucket behind one interface.

    from lyceum.content import get_store
    get_store().put("courses/abc/intro.mp4", path, content_type="video/mp4")

Browsers fetch from the address that `url()` gives: from this site for a folder, straight from the bucket for S3.
"""

from lyceum.content.store import ContentError, ContentStore, InvalidKeyError, MissingContentError, get_store

__all__ = ["ContentError", "ContentStore", "InvalidKeyError", "MissingContentError", "get_store"]
