"""What a store has to do to take part in a drill, and the names by which what a drill makes is known.

A copy's name holds `drill-` and the drill's number, nothing live does: a copy is made, and later removed, only under
such a name. What a killed drill left is found by it and removed by the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lyceum_ops.drill.manifest import Manifest
from lyceum_ops.errors import Refused

MARK = re.compile(r"(?:^|[-_/])drill[-_]([0-9a-f]{8})(?:$|[-_/])")


@dataclass(frozen=True)
class Point:
    """A moment to which a store can be brought back: `taken` is its time, before and after what it held around then."""

    name: str
    taken: datetime
    before: Manifest
    after: Manifest


@dataclass(frozen=True)
class Copy:
    """What was restored: what it holds, and what is broken in itself."""

    name: str
    manifest: Manifest
    faults: tuple[str, ...] = ()


class Keeper(Protocol):
    """Who makes copies of one thing that is kept, and removes them."""

    @property
    def name(self) -> str:
        """Of what."""

    def left(self) -> list[str]:
        """The names of all copies that there are, of whichever run."""

    def remove(self, name: str) -> None:
        """Remove a copy, and what belongs to it. Raises Refused for any other name."""


class Store(Keeper, Protocol):
    """One thing that is kept. Each method raises LyceumError; `restore` for a backup that cannot be restored."""

    def protect(self) -> Point:
        """Have a recovery point, with the manifests of what it should hold."""

    def restore(self, point: Point, number: str) -> Copy:
        """Bring the point back beside the live store, under a name of the drill of this number."""

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        """The settings with which the platform uses the copy; called when it was compared, and may write to it."""


def prefix(environment: str) -> str:
    """With what the names of all copies of an environment on AWS begin."""
    return f"lyceum-{environment}-drill-"


def copy_name(environment: str, number: str, of: str) -> str:
    """The name of the copy that a drill makes of one of its stores."""
    return require_mark(f"{prefix(environment)}{number}-{of}", number)


def require_mark(name: str, number: str = "") -> str:
    """The same name, when it is a drill's (of this number). Raises Refused: nothing live is made or removed."""
    found = MARK.search(name)
    if not found or (number and found[1] != number):
        raise Refused(f"{name} is no copy of a drill, and is left alone.")
    return name
