"""`./lyceum cost` as it is typed: what it prints, and one line for what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.lyceum_ops.cost.conftest import Lyceum, database, gateway, plan, resource

Saved = Callable[[Any], str]


def test_two_loads_beside_each_other_the_dearest_line_first(lyceum: Lyceum) -> None:
    code, said, _ = lyceum("cost", "prod")
    assert code == 0
    assert re.search(r"50 learners +500 learners", said)
    rows = re.findall(r"^ +([\d.]+) +([\d.]+) [ ?] (fixed|usage) +(.*)$", said, re.MULTILINE)
    assert len(rows) > 40
    assert [Decimal(row[1]) for row in rows] == sorted((Decimal(row[1]) for row in rows), reverse=True)
    for column in (0, 1):
        sums = {kind: sum(Decimal(row[column]) for row in rows if row[2] == kind) for kind in ("fixed", "usage")}
        for name, usd in {**sums, "total": sum(sums.values())}.items():
            found = re.search(rf"^ +([\d.]+) +([\d.]+)   {name}(?:,|$)", said, re.MULTILINE)
            assert found
            assert Decimal(found[column + 1]) == usd
    assert re.search(r"\? \d+ of \d+ prices are unchecked", said)


def test_a_load_of_ones_own(lyceum: Lyceum) -> None:
    code, said, _ = lyceum("cost", "dev", "--learners", "7", "--json")
    load = json.loads(said)["loads"][0]
    assert (code, load["learners"], load["video_hours"]) == (0, 7, 10)
    assert load["total"] == pytest.approx(load["fixed"] + load["usage"])
    one = next(line for line in load["lines"] if line["price"] == "nat.hour")
    assert (one["quantity"], one["unit"], one["usd"], one["checked"]) == (730, "hour", 32.85, True)
    _, other, _ = lyceum("cost", "dev", "--video-hours", "2", "--assume", "video_mb_hour=900", "--json")
    assert json.loads(other)["loads"][0]["learners"] == 500


def test_a_plan_shows_what_it_changes(lyceum: Lyceum, saved: Saved) -> None:
    file = saved(plan(gateway("a"), database(multi_az=True), before=(gateway("a"), database())))
    code, said, _ = lyceum("cost", "dev", "--plan", file)
    assert code == 0
    assert "What the plan changes, US dollars a month, with 500 learners, 10 h each:" in said
    assert re.search(r"\+23\.36 fixed  PostgreSQL db\.t4g\.micro with a standby: 0 to 23\.36", said)
    assert re.search(r"\+13\.98 from [\d.]+ to [\d.]+", said)
    change = json.loads(lyceum("cost", "dev", "--plan", file, "--json")[1])["change"]
    assert change["difference"] == pytest.approx(change["after"] - change["before"]) == pytest.approx(13.98)


def test_a_plan_that_changes_no_price_says_so(lyceum: Lyceum, saved: Saved) -> None:
    _, said, _ = lyceum("cost", "dev", "--plan", saved(plan(database(), before=(database(),))))
    assert "The plan changes nothing that is paid for" in said


def test_what_nobody_priced_is_named_and_fails(lyceum: Lyceum, saved: Saved) -> None:
    code, said, _ = lyceum("cost", "dev", "--plan", saved(plan(gateway("a"), resource("aws_sqs_queue.work"))))
    assert code == 1
    assert "NOT COUNTED, as nobody has said what it costs (rates.py): aws_sqs_queue.work" in said


def test_another_region_is_said(lyceum: Lyceum, saved: Saved) -> None:
    shown = plan(gateway("a"))
    shown["variables"]["region"]["value"] = "eu-west-1"
    _, said, _ = lyceum("cost", "dev", "--plan", saved(shown))
    assert "It lies in eu-west-1, and the prices are of us-east-1" in said


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("cost", "staging"), "There is no environment named 'staging'. There are: bootstrap, dev, prod."),
        (("cost", "dev", "--learners", "-5"), "--learners takes a number from 0 to 100000000; got -5."),
        (("cost", "dev", "--learners", "many"), "Invalid value for '--learners'"),
        (("cost", "dev", "--video-hours", "nan"), "--video-hours takes 0 to 730"),
        (("cost", "dev", "--assume", "x"), "--assume takes name=value; got 'x'."),
        (("cost", "dev", "--plan", "nowhere.json"), "nowhere.json cannot be read"),
        (("cost",), "cost takes an environment, or --write."),
        (("cost", "dev", "--write"), "cost takes an environment, or --write."),
    ],
)
def test_what_is_wrong_is_one_line(lyceum: Lyceum, words: tuple[str, ...], fault: str) -> None:
    code, said, err = lyceum(*words)
    assert (code, said) == (2, "")
    assert err.startswith(f"lyceum: {fault}")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (plan(environment="prod"), "is of prod, and dev is asked for"),
        ({**plan(), "format_version": "2.0"}, "is of format 2.0, and this understands 1"),
        ("{", "is not Terraform's JSON"),
    ],
)
def test_a_plan_of_something_else_is_one_line(lyceum: Lyceum, saved: Saved, shown: Any, fault: str) -> None:
    code, said, err = lyceum("cost", "dev", "--plan", saved(shown))
    assert (code, said) == (2, "")
    assert fault in err
    assert len(err.strip().splitlines()) == 1
