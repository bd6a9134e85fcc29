"""The price table is whole, and a row that lacks something is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lyceum_ops.cost import Prices
from lyceum_ops.errors import LyceumError

ROW = """
- {id: a, service: S, what: w, unit: hour, usd: 0.0000133334, region: us-east-1,
   date: 2026-11-25, checked: true, source: "https://aws.amazon.com/s/pricing/", seen: "https://example.org"}
"""


def test_every_price_has_a_date_a_page_of_aws_and_says_whether_it_was_checked(prices: Prices) -> None:
    assert len(prices) > 50
    assert all(price.seen for price in prices.values())
    # Both kinds are there: neither mark may become a habit.
    assert 0 < len(prices.unchecked) < len(prices)


def test_a_small_price_is_exact(tmp_path: Path) -> None:
    (table := tmp_path / "prices.yaml").write_text(ROW)
    assert Prices.read(table)["a"].usd == Decimal("0.0000133334")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (ROW * 2, "it comes twice"),
        (ROW.replace("us-east-1", "eu-west-1"), "it is of eu-west-1"),
        (ROW.replace("2026-11-25", "soon"), "its date is none"),
        (ROW.replace("0.0000133334", "0"), "it costs nothing"),
        (ROW.replace("aws.amazon.com", "example.org"), "its source is no page of AWS"),
        (ROW.replace('"https://example.org"', "memory"), "does not say where it was seen"),
        (ROW.replace("unit: hour, ", ""), "Row 1 of prices.yaml is no price"),
        (ROW.replace("unit: hour", "units: hour"), "Row 1 of prices.yaml is no price"),
        (ROW.replace("0.0000133334", "much"), "Row 1 of prices.yaml is no price"),
    ],
)
def test_a_row_that_is_wrong_is_refused(tmp_path: Path, row: str, fault: str) -> None:
    (table := tmp_path / "prices.yaml").write_text(row)
    with pytest.raises(LyceumError, match=fault):
        Prices.read(table)


def test_a_price_that_is_not_there_says_what_to_add(prices: Prices) -> None:
    with pytest.raises(LyceumError, match=r"No price ec2\.x9\.huge is in prices\.yaml\. Add a row"):
        prices["ec2.x9.huge"]


def test_data_to_the_internet_gets_cheaper_in_steps(prices: Prices) -> None:
    steps = prices.internet()
    assert [step.from_gb for step in steps] == [0, 10240, 51200, 153600]
    assert [step.usd for step in steps] == sorted((step.usd for step in steps), reverse=True)
