"""The price table: prices.yaml, read and held against what a row must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lyceum_ops.errors import LyceumError

TABLE = Path(__file__).with_name("prices.yaml")
REGION = "us-east-1"
# The C loader is four times as fast, and not everywhere.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Price:
    """One price: `usd` a `unit`. What `date`, `seen` and `checked` mean stands at the head of the table."""

    id: str
    service: str
    what: str
    unit: str
    usd: Decimal
    region: str
    date: date
    checked: bool
    source: str
    seen: str
    # Of a server: what an hour of it includes. `baseline` is in percent of one vCPU, of all of them together.
    vcpu: int = 0
    baseline: int = 0
    # Of data to the internet: the GB of a month from which this price counts.
    from_gb: int = 0


class Prices(Mapping[str, Price]):
    """Prices by id. Asking for one that is not there is an error that says what to add."""

    def __init__(self, rows: Mapping[str, Price]) -> None:
        self.rows = rows

    @classmethod
    def read(cls, table: Path = TABLE) -> Prices:
        """The table in a file. Raises LyceumError for a row that lacks something, or comes twice."""
        rows: dict[str, Price] = {}
        for number, raw in enumerate(yaml.load(table.read_text(), Loader=LOADER), 1):  # noqa: S506 - a safe loader
            try:
                price = Price(**{**raw, "usd": Decimal(str(raw["usd"]))})
            except (TypeError, KeyError, ArithmeticError) as error:
                raise LyceumError(f"Row {number} of {table.name} is no price: {error}.", "Mend the table.") from error
            if fault := _fault(price, rows):
                raise LyceumError(f"Price {price.id} in {table.name}: {fault}.", "Mend the table.")
            rows[price.id] = price
        return cls(rows)

    def __getitem__(self, name: str) -> Price:
        try:
            return self.rows[name]
        except KeyError:
            raise LyceumError(f"No price {name} is in {TABLE.name}.", "Add a row for it, with its date.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def oldest(self) -> date:
        return min(price.date for price in self.values())

    @property
    def unchecked(self) -> list[Price]:
        return [price for price in self.values() if not price.checked]

    def internet(self) -> list[Price]:
        """The steps of the price of data to the internet, the first one first."""
        return sorted((p for name, p in self.items() if name.startswith("internet.")), key=lambda one: one.from_gb)


def _fault(price: Price, before: Mapping[str, Price]) -> str:
    if price.id in before:
        return "it comes twice"
    if price.region != REGION:
        return f"it is of {price.region}, and the table is of {REGION}"
    if not isinstance(price.date, date):
        return "its date is none"
    if price.usd <= 0:
        return "it costs nothing; what is free belongs into rates.py, with its reason"
    if not price.source.startswith("https://aws.amazon.com/"):
        return "its source is no page of AWS"
    if price.checked and not price.seen.startswith("http"):
        return "it is checked and does not say where it was seen"
    return ""


@cache
def table() -> Prices:
    """The table of this checkout."""
    return Prices.read()
