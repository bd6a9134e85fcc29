"""AWS's limits on the length of policies: characters without white space.

Source: IAM User Guide, "IAM and AWS STS quotas", "IAM and STS character limits". A managed policy counts alone; the
inline policies of a user, group or role count together; a trust policy's limit is the default, which may be raised.
"""

from __future__ import annotations

import json
from typing import Any

LIMITS = {"managed": 6144, "role": 10240, "group": 5120, "user": 2048, "trust": 2048}


def measure(kind: str, document: Any) -> tuple[int, int]:
    """(characters, limit) of a document, or of several that count together."""
    together = document if isinstance(document, list) else [document]
    return sum(length(one) for one in together), LIMITS[kind]


def length(document: Any) -> int:
    """Characters of a policy as AWS counts them."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return len("".join(text.split()))
