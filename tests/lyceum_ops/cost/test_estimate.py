"""Estimates held against sums by hand, and the differences that plans make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.lyceum_ops.cost.conftest import database, gateway, plan, resource

from lyceum_lab import paths
from lyceum_ops.cost import Estimate, Inventory, Load, Prices, difference, estimate, inventories
from lyceum_ops.cost.inventory import FOLDER, Resource, of_plan
from lyceum_ops.errors import LyceumError, Usage

NOBODY = Load.of(0, 0)
SOME = Load.of(500, 10)


def dollars(found: Estimate, address: str, what: str = "") -> Decimal:
    lines = [line for line in found.lines if address in line.address and what in line.what]
    assert lines, f"{address} {what} costs nothing"
    return sum((line.usd for line in lines), Decimal(0))


def changed(inventory: Inventory, type_: str, **of: Any) -> Inventory:
    """The inventory with other values for the resources of a type."""
    priced = [replace(one, of={**one.of, **of}) if one.type == type_ else one for one in inventory.priced]
    return replace(inventory, priced=tuple(priced))


def without(inventory: Inventory, *types: str) -> Inventory:
    return replace(inventory, priced=tuple(one for one in inventory.priced if one.type not in types))


def test_a_gateway_a_zone_a_standby_and_a_server(kept: dict[str, Inventory]) -> None:
    dev, prod = estimate(kept["dev"], NOBODY), estimate(kept["prod"], NOBODY)
    assert [line.usd for line in dev.lines if line.what == "NAT gateway"] == [Decimal("32.85")]
    assert dollars(prod, "aws_db_instance", "with a standby") == Decimal("23.36") + Decimal("4.60")
    assert dollars(dev, "aws_db_instance", "one zone") == Decimal("11.68") + Decimal("2.30")
    assert dollars(dev, "aws_autoscaling_group", "t2.micro") == Decimal("8.47")
    # Two addresses of the load balancer, and one of each NAT gateway.
    assert dollars(prod, "aws_lb", "public addresses") == dollars(prod, "aws_eip") == Decimal("7.30")
    assert dollars(dev, "aws_wafv2_web_acl", "rule") == 6
    assert dollars(dev, "aws_kms_key", "customer managed key") == 10


def test_video_is_most_of_a_load(kept: dict[str, Inventory]) -> None:
    found = estimate(kept["prod"], SOME)
    # 5,000 hours of 450 MB, at $0.09.
    assert dollars(found, "module.content.aws_s3_bucket", "videos: data") == Decimal("197.75")
    assert found.lines[0].what.startswith("videos: data to the internet")


def test_a_write_every_ten_seconds_is_paid_for(kept: dict[str, Inventory]) -> None:
    found = estimate(kept["prod"], Load.of(10_000, 10))
    # 36 million write units at $0.625 a million.
    assert dollars(found, "aws_dynamodb_table", "write") == Decimal("22.50")


def test_data_beyond_ten_terabytes_is_cheaper_and_pages_come_after_videos(
    kept: dict[str, Inventory], prices: Prices
) -> None:
    load = Load.of(1000, 40, {"video_mb_hour": "1024"})  # 40,000 GB
    found = estimate(kept["prod"], load)
    videos = dollars(found, "module.content", "videos: data")
    assert videos == 10240 * Decimal("0.09") + (40000 - 10240) * Decimal("0.085")
    pages = [line for line in found.lines if line.what.startswith("pages and reports")]
    assert [line.price.id for line in pages] == ["internet.10240"]


@given(learners=some.integers(0, 100_000), hours=some.integers(0, 200))
def test_the_steps_of_data_to_the_internet_leave_nothing_out(learners: int, hours: int) -> None:
    load = Load.of(learners, hours)
    found = estimate(inventories(paths.CHECKOUT / FOLDER)["prod"], load)
    gb = sum((line.quantity for line in found.lines if line.what.startswith("videos: data")), Decimal(0))
    assert abs(gb - learners * hours * Decimal(450) / 1024) < Decimal("0.001")
    assert found.fixed + found.usage == found.total == sum(line.usd for line in found.lines)


def test_the_fixed_part_depends_on_no_load(kept: dict[str, Inventory]) -> None:
    for inventory in kept.values():
        assert estimate(inventory, NOBODY).fixed == estimate(inventory, Load.of(50_000, 20)).fixed


def test_busy_hours_take_more_servers_up_to_the_most(kept: dict[str, Inventory]) -> None:
    calm, busy, mad = (estimate(kept["prod"], Load.of(n, 10)) for n in (500, 5000, 50_000))
    assert not [line for line in calm.lines if "in busy hours" in line.what]
    assert dollars(busy, "aws_autoscaling_group", "t2.micro, Linux, on demand, in busy hours") == Decimal("1.39")
    assert busy.notes == ()
    assert mad.notes[0].startswith("a busy hour asks for 18 servers, and the group has 2 at most")
    # One alone would not: the processor it has earned is used up, and what is beyond costs.
    assert dollars(mad, "aws_autoscaling_group", "beyond the credits earned") > 50


def test_without_a_nat_gateway_endpoints_carry_the_data(kept: dict[str, Inventory]) -> None:
    inner = without(kept["prod"], "aws_nat_gateway", "aws_eip")
    endpoint = Resource('module.network.aws_vpc_endpoint.interface["logs"]', "aws_vpc_endpoint",
                        {"kind": "Interface", "subnets": 2})  # fmt: skip
    found = estimate(replace(inner, priced=(*inner.priced, endpoint)), SOME)
    assert dollars(found, "aws_vpc_endpoint", "interface endpoint in one zone") == Decimal("14.60")
    assert dollars(found, "aws_vpc_endpoint", "data through an interface endpoint") > 0


def test_a_flow_log_of_all_traffic_costs_more(kept: dict[str, Inventory]) -> None:
    load = Load.of(50_000, 10)
    refused, every = (estimate(changed(kept["dev"], "aws_flow_log", traffic=t), load).total for t in ("REJECT", "ALL"))
    assert every > refused + 10


def test_a_plan_costs_what_comes_less_what_goes() -> None:
    shown = plan(gateway("a"), gateway("b"), database("db.t4g.small", multi_az=True), before=(gateway("a"), database()))
    found = difference(shown, NOBODY)
    rows = {line.what: [before, after] for line, before, after in found.lines}
    assert rows["NAT gateway"] == [Decimal("32.85"), Decimal("65.70")]
    assert rows["PostgreSQL db.t4g.micro, one zone"] == [Decimal("11.68"), 0]
    assert rows["PostgreSQL db.t4g.small with a standby"] == [0, Decimal("46.72")]
    assert rows["gp3 storage of the database, one zone"] == [Decimal("2.30"), 0]
    assert rows["gp3 storage of the database, with a standby"] == [0, Decimal("4.60")]
    assert found.usd == sum(after - before for before, after in rows.values()) == Decimal("70.19")
    # The largest change comes first.
    assert next(iter(rows)) == "PostgreSQL db.t4g.small with a standby"


def test_a_plan_that_changes_no_price_has_no_difference() -> None:
    found = difference(plan(gateway("a"), before=(gateway("a"),)), SOME)
    assert not found.lines
    assert found.usd == 0


def test_a_plan_of_another_version_is_refused() -> None:
    with pytest.raises(Usage, match=r"The plan is of format 2\.0"):
        difference({**plan(), "format_version": "2.0"})


@pytest.mark.parametrize(
    ("type_", "of", "fault"),
    [
        ("aws_db_instance", {"engine": "mysql"}, "is priced as PostgreSQL"),
        ("aws_db_instance", {"insights_days": 731}, "with 7 days of insights"),
        ("aws_db_instance", {"class": "db.r9.huge"}, r"No price rds\.db\.r9\.huge\.single"),
        ("aws_db_instance", {"storage": "io2"}, r"No price rds\.io2\.single"),
        ("aws_dynamodb_table", {"mode": "PROVISIONED"}, "is priced on demand"),
        ("aws_dynamodb_table", {"indexes": 1}, "without an index"),
        ("aws_efs_file_system", {"throughput": "provisioned"}, "elastic throughput"),
        ("aws_launch_template", {"instance_type": "x9.huge"}, r"No price ec2\.x9\.huge"),
        ("aws_lb", {"kind": "network"}, "no application load balancer"),
        ("aws_backup_plan", {"rules": [["cron(0 3 * * ? *)", 28]]}, "not once a week"),
        ("aws_scheduler_schedule", {"schedule": "rate(1 hour)"}, "neither once an hour nor once a minute"),
    ],
)
def test_what_is_priced_as_something_else_is_refused(
    kept: dict[str, Inventory], type_: str, of: Mapping[str, Any], fault: str
) -> None:
    with pytest.raises(LyceumError, match=fault):
        estimate(changed(kept["dev"], type_, **of), SOME)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("module.lake.aws_s3_bucket.this", "Nobody has said what is kept in module.lake.aws_s3_bucket.this"),
        ('module.logs.aws_cloudwatch_log_group.this["chat"]', "Nobody has said how much is written to"),
    ],
)
def test_a_bucket_or_a_log_that_nobody_described_is_refused(
    kept: dict[str, Inventory], address: str, fault: str
) -> None:
    stranger = Resource(address, address.split(".")[2], {"days": 3})
    with pytest.raises(LyceumError, match=fault):
        estimate(replace(kept["dev"], priced=(*kept["dev"].priced, stranger)), SOME)


def test_a_function_that_nobody_described_is_refused(kept: dict[str, Inventory]) -> None:
    stranger = Resource("module.lake.aws_lambda_function.fill", "aws_lambda_function", {"mb": 128})
    with pytest.raises(LyceumError, match=r"Nobody has said what starts module\.lake\.aws_lambda_function\.fill"):
        estimate(replace(kept["dev"], priced=(*kept["dev"].priced, stranger)), SOME)


def test_who_asks_every_minute_is_paid_for_and_only_where_there_is_one(kept: dict[str, Inventory]) -> None:
    dev, prod = estimate(kept["dev"], NOBODY), estimate(kept["prod"], NOBODY)
    assert not [line for line in dev.lines if "canary" in line.address and line.usd]
    # 43,800 minutes: a cent a thousand calls, a dollar a million starts, 128 MB for a second each.
    assert dollars(prod, "canary", "calls that write metrics").quantize(Decimal("0.01")) == Decimal("0.44")
    assert dollars(prod, "canary", "Scheduler").quantize(Decimal("0.01")) == Decimal("0.04")
    assert dollars(prod, "canary", "duration").quantize(Decimal("0.01")) == Decimal("0.07")
    assert dollars(prod, "canary", "metric of the canary") == Decimal("0.30")


def test_a_trail_of_more_than_calls_that_manage_is_refused(kept: dict[str, Inventory]) -> None:
    with pytest.raises(LyceumError, match="writes down more than calls that manage"):
        estimate(changed(kept["bootstrap"], "aws_cloudtrail", selectors=1), SOME)


def test_alarms_are_paid_for_by_metric() -> None:
    metric = {"metric": [{"metric_name": "Errors", "period": 60}]}
    plain = resource("aws_cloudwatch_metric_alarm.plain", period=300, metric_query=[])
    two = resource("aws_cloudwatch_metric_alarm.two", metric_query=[metric, metric, {"expression": "a + b"}])
    fast = resource("aws_cloudwatch_metric_alarm.fast", period=10, metric_query=[])
    found = estimate(of_plan(plan(plain, two, fast)), NOBODY)
    assert {line.address.rpartition(".")[2]: line.usd for line in found.lines} == {
        "plain": Decimal("0.10"), "two": Decimal("0.20"), "fast": Decimal("0.30"),
    }  # fmt: skip
