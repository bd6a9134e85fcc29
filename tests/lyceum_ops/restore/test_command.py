"""A course of an environment that is not there, or asked for by somebody who may not, is told before a copy is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import CHECKOUT, Emulated
from tests.lyceum_ops.restore.conftest import SLUG

from lyceum_ops.errors import LyceumError, MissingTool, Refused, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.restore.command import course

pytestmark = pytest.mark.drill


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "bin" / "session-manager-plugin"
    found.parent.mkdir()
    found.write_text("#!/bin/sh\necho 1.2.707.0\n")
    found.chmod(0o755)
    monkeypatch.setenv("PATH", f"{found.parent}:{os.environ['PATH']}")


def ask(here: Here, environment: str = "dev") -> Any:
    return course(here, environment, SLUG, None, dry_run=False, asked=Asked())


def test_without_the_plugin_nobody_is_asked(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match="session-manager-plugin is not here"):
        ask(here)
    with pytest.raises(Usage, match="There is no environment named 'moon'"):
        ask(here, "moon")


@pytest.mark.usefixtures("plugin")
def test_a_half_built_environment_says_what_is_missing(here: Here, account: Emulated) -> None:
    with pytest.raises(LyceumError, match=r"There is no database lyceum-dev-database\. Was the environment applied"):
        ask(here)
    told: dict[str, Any] = {
        "DBInstanceIdentifier": "lyceum-dev-database", "DBInstanceStatus": "available", "DBName": "lyceum",
        "MasterUsername": "lyceum_admin", "Endpoint": {"Address": "database.internal", "Port": 5432},
    }  # fmt: skip
    account.say({"rds:DescribeDBInstances": {"result": {"DBInstances": [told]}}})
    with pytest.raises(LyceumError, match="There is no bastion lyceum-dev-bastion"):
        ask(here)


@pytest.mark.usefixtures("plugin")
def test_the_deployer_is_sent_away(here: Here, account: Emulated) -> None:
    account.as_the_deployer()
    with pytest.raises(Refused, match="The deployer may not read the database"):
        ask(here)


def test_nothing_on_a_server_may_delete_progress() -> None:
    """Which is why it is there still."""
    role = (CHECKOUT / "infra" / "modules" / "servers" / "role.tf").read_text()
    assert '"dynamodb:UpdateItem"' in role
    assert "dynamodb:Delete" not in role
    assert "dynamodb:*" not in role
