"""The sums: an estimate of one inventory under one load, and the difference that a plan makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lyceum_ops.cost import prices as table
from lyceum_ops.cost.inventory import Inventory, before_plan, of_plan, require_known
from lyceum_ops.cost.load import LOADS, Load
from lyceum_ops.cost.prices import Price, Prices
from lyceum_ops.cost.rates import Kind, Site

CENT = Decimal("0.01")


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Line:
    """What one address, or all that the same code makes, costs a month. `usd` is in whole cents."""

    address: str
    what: str
    kind: Kind
    price: Price
    quantity: Decimal

    @property
    def key(self) -> tuple[str, str, str]:
        return self.address, self.what, self.kind

    @property
    def usd(self) -> Decimal:
        return cents(self.quantity * self.price.usd)

    def as_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "what": self.what,
            "kind": self.kind,
            "quantity": float(self.quantity),
            "unit": self.price.unit,
            "price": self.price.id,
            "checked": self.price.checked,
            "usd": float(self.usd),
        }


@dataclass(frozen=True)
class Estimate:
    """The lines of an environment under a load, the dearest first. Sums are of whole cents: what is shown adds up."""

    environment: str
    region: str
    load: Load
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def sum(self, kind: Kind | None = None) -> Decimal:
        return sum((line.usd for line in self.lines if kind in (None, line.kind)), Decimal(0))

    @property
    def fixed(self) -> Decimal:
        return self.sum("fixed")

    @property
    def usage(self) -> Decimal:
        return self.sum("usage")

    @property
    def total(self) -> Decimal:
        return self.sum()

    @property
    def unchecked(self) -> Decimal:
        """The dollars whose price nobody has checked."""
        return sum((line.usd for line in self.lines if not line.price.checked), Decimal(0))

    def as_json(self) -> dict[str, Any]:
        return {
            "learners": self.load.learners,
            "video_hours": float(self.load.hours),
            "lines": [line.as_json() for line in self.lines],
            "fixed": float(self.fixed),
            "usage": float(self.usage),
            "total": float(self.total),
            "unchecked": float(self.unchecked),
            "notes": list(self.notes),
            "not_counted": list(self.unknown),
        }


@dataclass(frozen=True)
class Difference:
    """What a plan changes a month: each line that differs, the largest change first, with what it cost before."""

    before: Estimate
    after: Estimate

    @property
    def usd(self) -> Decimal:
        return self.after.total - self.before.total

    @property
    def lines(self) -> list[tuple[Line, Decimal, Decimal]]:
        """Line (as it will be, or as it was), dollars before, dollars after."""
        was = {line.key: line for line in self.before.lines}
        becomes = {line.key: line for line in self.after.lines}
        found = [
            ((becomes | was)[key] if key not in becomes else becomes[key],
             was[key].usd if key in was else Decimal(0), becomes[key].usd if key in becomes else Decimal(0))
            for key in {**was, **becomes}
        ]  # fmt: skip
        return sorted((one for one in found if one[1] != one[2]), key=lambda one: (-abs(one[2] - one[1]), one[0].key))

    def as_json(self) -> dict[str, Any]:
        lines = [{**line.as_json(), "usd": float(after), "usd_before": float(before)}
                 for line, before, after in self.lines]  # fmt: skip
        return {"before": float(self.before.total), "after": float(self.after.total), "difference": float(self.usd),
                "lines": lines}  # fmt: skip


def estimate(inventory: Inventory, load: Load, prices: Prices | None = None) -> Estimate:
    """What the inventory costs under the load. Raises LyceumError for a price that is not in the table."""
    site = Site(inventory, load, prices or table.table())
    sums: dict[tuple[str, str, str, str], Line] = {}
    for one in site.lines():
        key = (one.address, one.what, one.kind, one.price.id)
        before = sums[key].quantity if key in sums else Decimal(0)
        sums[key] = Line(one.address, one.what, one.kind, one.price, before + one.quantity)
    lines = sorted(sums.values(), key=lambda line: (-line.usd, line.key))
    notes = tuple(dict.fromkeys(site.notes))
    return Estimate(inventory.environment, inventory.region, load, tuple(lines), notes, inventory.unknown)


def difference(shown: Mapping[str, Any], load: Load = LOADS[-1], prices: Prices | None = None) -> Difference:
    """What a plan changes, from Terraform's JSON of it: what it plans less what was there before.

    Raises Usage for JSON of another version.
    """
    require_known(dict(shown))
    return Difference(estimate(before_plan(shown), load, prices), estimate(of_plan(shown), load, prices))
