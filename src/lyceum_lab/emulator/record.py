"""Keeps which AWS calls were made and who answered them, because least privilege and honesty both start from that list.

A line holds the caller's access key id (never its secret), its program, the operation and the outcome. Bodies, query
strings and object keys stay out: a log of calls must be safe to show.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import IO

from lyceum_lab.emulator.wire import Call

# Of what a program calls itself, as many characters as tell which one it is.
AGENT = 200
# How a call was answered.
MOTO, EDITED, STUBBED, REFUSED, GAP = "moto", "edited", "stubbed", "refused", "gap"


class Recorder:
    """Counts calls by how they were answered and, given a file, appends a JSON line for each."""

    def __init__(self, path: Path | None = None) -> None:
        self._counts: Counter[str] = Counter(dict.fromkeys((MOTO, EDITED, STUBBED, REFUSED, GAP), 0))
        self._gaps: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, call: Call, *, status: int, answered_by: str, started: float) -> None:
        """`started` is a `time.time()`; the duration is written in milliseconds."""
        line = {
            "at": round(started, 3),
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "key": call.access_key,
            "status": status,
            "ms": round((time.time() - started) * 1000, 1),
            "by": answered_by,
            "agent": call.environ.get("HTTP_USER_AGENT", "")[:AGENT],
            **({"iam": call.asked} if call.asked else {}),
        }
        with self._lock:
            self._counts[answered_by] += 1
            if answered_by == GAP:
                self._gaps[call.name] += 1
            if self._file:
                self._file.write(json.dumps(line) + "\n")

    def counts(self) -> dict[str, int]:
        """Calls so far by how they were answered."""
        with self._lock:
            return dict(self._counts)

    def gaps(self) -> dict[str, int]:
        """Operations that nothing here could answer, with how often each was asked for."""
        with self._lock:
            return dict(self._gaps)
