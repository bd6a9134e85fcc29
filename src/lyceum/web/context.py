"""What every page of the site knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {"mail_is_sent": settings.MAIL_IS_SENT}
