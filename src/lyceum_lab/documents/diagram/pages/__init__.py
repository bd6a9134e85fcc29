"""The pages, in the order of the sheets."""

from __future__ import annotations

from lyceum_lab.documents.diagram.model import Page
from lyceum_lab.documents.diagram.pages import delivery, network, protection, rehearsal, request


def pages() -> tuple[Page, ...]:
    """All of them."""
    return (request.page(), network.page(), delivery.page(), protection.page(), rehearsal.page())
