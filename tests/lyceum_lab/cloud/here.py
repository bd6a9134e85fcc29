"""In the place of a network namespace: this machine's own network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Here:
    """As far as what listens in a namespace asks of one."""

    def enter(self, work: Callable[[], T]) -> T:
        return work()
