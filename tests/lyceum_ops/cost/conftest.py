"""The kept inventories, and small plans as Terraform shows them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lyceum_lab import cli, paths
from lyceum_ops.cost import Inventory, Prices, inventories
from lyceum_ops.cost.inventory import FOLDER

Lyceum = Callable[..., tuple[int, str, str]]
Shown = dict[str, Any]


@pytest.fixture
def kept() -> dict[str, Inventory]:
    return inventories(paths.CHECKOUT / FOLDER)


@pytest.fixture
def prices() -> Prices:
    return Prices.read()


def resource(address: str, **values: Any) -> dict[str, Any]:
    """A resource as Terraform's JSON has it."""
    kind = next(part for part in address.partition("[")[0].split(".") if part.startswith(("aws_", "terraform_")))
    return {"address": address, "mode": "managed", "type": kind, "values": values}


def module(*resources: dict[str, Any]) -> dict[str, Any]:
    """Values whose resources lie in a module below the root."""
    return {"root_module": {"child_modules": [{"resources": list(resources)}]}}


def plan(*after: dict[str, Any], before: tuple[dict[str, Any], ...] = (), environment: str = "dev") -> Shown:
    """A plan that leaves `after` where `before` was."""
    return {
        "format_version": "1.2",
        "variables": {"environment": {"value": environment}, "region": {"value": "us-east-1"}},
        "planned_values": module(*after),
        "prior_state": {"format_version": "1.0", "values": module(*before)} if before else {"format_version": "1.0"},
        "complete": True,
        "errored": False,
    }


def database(instance_class: str = "db.t4g.micro", *, multi_az: bool = False, **more: Any) -> dict[str, Any]:
    values = {"engine": "postgres", "instance_class": instance_class, "multi_az": multi_az, "allocated_storage": 20,
              "storage_type": "gp3", **more}  # fmt: skip
    return resource("module.database.aws_db_instance.this", **values)


def gateway(zone: str) -> dict[str, Any]:
    return resource(f'module.network.aws_nat_gateway.zone["{zone}"]')


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], str]:
    """Writes JSON into a file, and names it."""

    def save(shown: Any) -> str:
        file = tmp_path / "plan.json"
        file.write_text(shown if isinstance(shown, str) else json.dumps(shown))
        return str(file)

    return save


@pytest.fixture
def lyceum(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lyceum:
    """`./lyceum` as it is typed: exit code, what it printed, what it complained of."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lyceum", *words])
        capsys.readouterr()
        with open(os.devnull) as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run
