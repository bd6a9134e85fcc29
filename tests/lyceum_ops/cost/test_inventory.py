"""Terraform's JSON, cut down to what prices depend on; and JSON that is none of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.cost.conftest import database, gateway, module, plan, resource

from lyceum_ops.cost import Inventory, inventories
from lyceum_ops.cost.inventory import before_plan, of_plan, read
from lyceum_ops.errors import LyceumError, Usage

SUBNETS = [resource(f'aws_subnet.app["{zone}"]', availability_zone=zone) for zone in ("a", "b")]


def test_a_plan_has_a_before_and_an_after() -> None:
    shown = plan(gateway("a"), gateway("b"), resource("aws_vpc.this"), before=(gateway("a"),))
    after, before = of_plan(shown), before_plan(shown)
    assert (after.environment, after.region) == ("dev", "us-east-1")
    assert [one.group for one in after.priced] == ["module.network.aws_nat_gateway.zone"] * 2
    assert (len(before.priced), dict(after.free)) == (1, {"aws_vpc": 1})


def test_a_plan_for_an_empty_account_has_nothing_before() -> None:
    assert before_plan(plan(gateway("a"))).priced == ()


def test_a_state_says_the_same_as_the_plan_that_made_it() -> None:
    endpoint = 'aws_vpc_endpoint.interface["logs"]'
    planned = of_plan(plan(resource(endpoint, vpc_endpoint_type="Interface"), *SUBNETS))
    state = {
        "format_version": "1.0",
        "values": {
            "outputs": {"environment": {"value": "dev"}},
            **module(resource(endpoint, vpc_endpoint_type="Interface", subnet_ids=["s-1", "s-2"]), *SUBNETS),
        },
    }
    assert of_plan(state).priced == planned.priced
    assert of_plan(state).environment == "dev"


def test_data_sources_are_not_counted() -> None:
    data = {**database(), "mode": "data"}
    assert of_plan(plan(data)).priced == ()


def test_a_type_that_nobody_knows_is_named_and_not_kept() -> None:
    found = of_plan(plan(resource("module.queue.aws_sqs_queue.work"), gateway("a")))
    assert found.unknown == ("module.queue.aws_sqs_queue.work",)
    with pytest.raises(LyceumError, match=r"Nobody knows what these cost: module\.queue\.aws_sqs_queue\.work"):
        found.as_json()


def test_what_is_kept_is_what_was_read(tmp_path: Path, kept: dict[str, Inventory]) -> None:
    assert set(kept) == {"bootstrap", "dev", "prod"}
    for name, inventory in kept.items():
        (tmp_path / f"{name}.json").write_text(inventory.as_json())
    assert inventories(tmp_path) == kept


def test_a_spoilt_inventory_says_how_to_make_it_again(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text("{}")
    with pytest.raises(LyceumError, match=r"dev\.json is no inventory\. Make it again: \./lyceum prove cost --renew"):
        inventories(tmp_path)


def test_a_resource_that_is_applied_half_is_named() -> None:
    with pytest.raises(LyceumError, match=r"aws_db_instance\.this does not say .*instance_class"):
        of_plan(plan(resource("aws_db_instance.this", engine="postgres")))


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        ("no JSON", "is not Terraform's JSON"),
        ([1], "is not Terraform's JSON"),
        ({"lock": 1}, "is not Terraform's JSON"),
        ({**plan(), "format_version": "2.0"}, "is of format 2.0, and this understands 1"),
        ({**plan(), "errored": True}, "failed or was cut short"),
        ({**plan(), "complete": False}, "failed or was cut short"),
        ({"format_version": "1.0"}, "holds neither a plan nor a state"),
    ],
)
def test_json_of_something_else_is_refused(tmp_path: Path, shown: Any, fault: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(shown if isinstance(shown, str) else json.dumps(shown))
    with pytest.raises(Usage, match=fault):
        read(file)


def test_a_plan_that_is_not_shown_as_json_is_refused(tmp_path: Path) -> None:
    (file := tmp_path / "the.tfplan").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(Usage, match=r"the\.tfplan is not Terraform's JSON\. Make it with terraform show -json"):
        read(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot be read: No such file"):
        read(tmp_path / "plan.json")
