"""Samples of metrics, and what a statistic makes of those of one period.

Statistics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


class UnknownStatistic(ValueError):
    """A statistic that is not known here, or that these samples cannot give."""


@dataclass(frozen=True)
class Metric:
    """A metric as AWS tells one from another: each combination of dimensions is a metric of its own."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    def __str__(self) -> str:
        of = ", ".join(f"{name}={value}" for name, value in sorted(self.dimensions))
        return f"{self.namespace} {self.name} of {of or 'no dimension'}"


@dataclass(frozen=True)
class Sample:
    """One published value, or the statistics of `count` values; `at` has a time zone."""

    at: datetime
    least: float
    most: float
    total: float
    count: float = 1.0

    @classmethod
    def of(cls, at: datetime, value: float) -> Sample:
        return cls(at, value, value, value)


def statistic(name: str, samples: Iterable[Sample]) -> float | None:
    """The statistic over the samples of a period, None without any. Raises UnknownStatistic."""
    found = list(samples)
    if not found:
        return None
    count = sum(one.count for one in found)
    match name:
        case "Sum":
            return sum(one.total for one in found)
        case "Average":
            return sum(one.total for one in found) / count
        case "Minimum":
            return min(one.least for one in found)
        case "Maximum":
            return max(one.most for one in found)
        case "SampleCount":
            return count
    if not (share := PERCENTILE.fullmatch(name)):
        raise UnknownStatistic(f"the statistic {name} is not known here")
    if any(one.least != one.most for one in found):
        raise UnknownStatistic("of values that were published as a statistic set there is no percentile")
    ordered = sorted((one.least, one.count) for one in found)
    rank, seen = math.ceil(float(share[1]) / 100 * count), 0.0
    for value, times in ordered:
        seen += times
        if seen >= rank:
            return value
    return ordered[-1][0]


def significant(name: str, count: float) -> bool:
    """Whether so many samples are enough for the percentile, in the words of AWS's "low data samples"."""
    if not (found := PERCENTILE.fullmatch(name)):
        return True
    share = float(found[1]) / 100
    return count >= (10 / (1 - share) if share >= 0.5 else 10 / share)
