"""The emulator's own pages, from outside: what it says of itself, and what the parts of a rehearsal tell it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any


def page(endpoint: str, path: str, told: Mapping[str, Any] | None = None, *, timeout: float = 60) -> Any:
    """What it answers at this path; `told` is posted. It is asked directly: no proxy knows of it.

    Raises OSError when it does not answer, of it HTTPError, whose body says why, when it refuses.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if told is None else json.dumps(told).encode()
    request = urllib.request.Request(f"{endpoint}{path}", body)  # noqa: S310 - the emulator's own address
    with opener.open(request, timeout=timeout) as answer:
        return json.load(answer)
