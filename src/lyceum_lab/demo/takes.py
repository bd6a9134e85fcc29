"""What was recorded of a step: bytes of terminals, pictures and movements of a browser, each with its second.

Takes are kept below .lyceum/demo, so that the film can be drawn anew without doing everything again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Event:
    """Something that happened at second `at` of the step: kind is out, image, move, click or address."""

    at: float
    kind: str
    value: Any
    pane: str = "main"


@dataclass
class Take:
    """One step as it went. Until `typed` somebody typed; it ended after `seconds`."""

    events: list[Event] = field(default_factory=list)
    typed: float = 0.0
    seconds: float = 0.0


def write(folder: Path, takes: list[Take]) -> None:
    """Keep the takes of one scene."""
    (folder / "takes.json").write_text(json.dumps([asdict(take) for take in takes]), encoding="utf-8")


def read(folder: Path) -> list[Take] | None:
    """The takes of one scene; None if there are none."""
    try:
        found = json.loads((folder / "takes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return [Take([Event(**event) for event in one["events"]], one["typed"], one["seconds"]) for one in found]
