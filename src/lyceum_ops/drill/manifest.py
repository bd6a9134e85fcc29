"""What a store holds, small enough to keep and exact enough that one altered row is seen.

A part of a store (a table, a folder, a bucket) is cut into buckets by the keys of its rows; each bucket has a count and
a checksum over its rows. The order of rows does not matter.

A backup is not taken in one instant that anybody could name. So two manifests are taken, right before and right after
the moment that is restored: what is the same in both was not written to in between, and has to be the same in the copy.
A bucket that differs between the two is in motion and says nothing; how many there are is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BUCKETS = 256
# A sum of these is kept, so that equal rows do not cancel each other out.
MODULUS = 2**64


@dataclass(frozen=True)
class Bucket:
    count: int
    checksum: int


@dataclass(frozen=True)
class Part:
    """`facts` are what else has to be equal, as the types of columns or where a sequence stands."""

    buckets: Mapping[int, Bucket]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(bucket.count for bucket in self.buckets.values())

    @property
    def checksum(self) -> str:
        """One for all of it."""
        return f"{sum(bucket.checksum for bucket in self.buckets.values()) % MODULUS:016x}"


Manifest = Mapping[str, Part]
EMPTY = Bucket(0, 0)


def part(rows: Iterable[tuple[str, str]], facts: Mapping[str, str] | None = None) -> Part:
    """Of rows as a key and a text that says everything of the row."""
    counts: dict[int, int] = {}
    sums: dict[int, int] = {}
    for key, text in rows:
        number = _digest(key) % BUCKETS
        counts[number] = counts.get(number, 0) + 1
        sums[number] = (sums.get(number, 0) + _digest(text)) % MODULUS
    return Part({number: Bucket(count, sums[number]) for number, count in counts.items()}, facts or {})


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Verdict:
    """How a copy's part compares: `wrong` is empty when nothing is lost; `moving` rows were written to meanwhile."""

    part: str
    rows: int
    checksum: str
    moving: int
    wrong: tuple[str, ...] = ()


def compare(before: Manifest, after: Manifest, copy: Manifest) -> list[Verdict]:
    """Each part of the original, and each that only the copy has."""
    found = []
    for name in sorted({*before, *after, *copy}):
        was, then, now = before.get(name), after.get(name), copy.get(name)
        if was is None or then is None:
            # Made or dropped while the backup was taken; or only the copy has it, which nothing explains.
            wrong = ("is in the copy alone",) if was is None and then is None else ()
            found.append(Verdict(name, now.rows if now else 0, now.checksum if now else "", 0, wrong))
        elif now is None:
            found.append(Verdict(name, 0, "", 0, (f"is missing; it had {was.rows} rows",)))
        else:
            found.append(_compared(name, was, then, now))
    return found


def _compared(name: str, was: Part, then: Part, now: Part) -> Verdict:
    wrong, moving, lost, altered = [], 0, 0, 0
    for number in {*was.buckets, *then.buckets, *now.buckets}:
        one, other, copied = (each.buckets.get(number, EMPTY) for each in (was, then, now))
        if one != other:
            moving += max(one.count, other.count)
        elif one.count != copied.count:
            lost += copied.count - one.count
            wrong.append(number)
        elif one.checksum != copied.checksum:
            altered += 1
            wrong.append(number)
    words = []
    if wrong and len(wrong) > altered:
        words.append(f"{now.rows} rows instead of {was.rows} ({lost:+d})")
    if altered:
        words.append(f"rows are altered in {altered} of {BUCKETS} buckets, checksum {now.checksum} not {was.checksum}")
    for fact, value in was.facts.items():
        if then.facts.get(fact) == value and now.facts.get(fact) != value:
            words.append(f"{fact} is {now.facts.get(fact, 'not there')}, was {value}")
    return Verdict(name, now.rows, now.checksum, moving, tuple(words))
