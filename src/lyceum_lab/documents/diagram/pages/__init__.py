"""The pages, in the order of the sheets."""

from __future__ import annotations

from lyceum_lab.documents.diagram.model import Page
from lyceum_lab.documents.diagram.pages import request


def pages() -> tuple[Page, ...]:
    """All of them."""
    return (request.page(),)
