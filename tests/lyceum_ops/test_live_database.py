"""Who asks for copies of a database that is not there, or may not, is told so before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.lyceum_ops.conftest import Emulated

from lyceum_ops.drill.command import restore as drill
from lyceum_ops.drill.command import restore_weekly as weekly_drill
from lyceum_ops.errors import LyceumError, MissingTool, Refused, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.restore.command import course

Ask = Callable[[Here, str], Any]
EACH = pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda here, environment: drill(here, environment, asked=Asked()), id="drill restore"),
        pytest.param(
            lambda here, environment: weekly_drill(here, environment, asked=Asked()), id="drill restore --weekly"
        ),
        pytest.param(
            lambda here, environment: course(here, environment, "a-course", None, dry_run=False, asked=Asked()),
            id="restore course",
        ),
    ],
)
pytestmark = pytest.mark.drill


@EACH
def test_without_the_plugin_nobody_is_asked(here: Here, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match="session-manager-plugin is not here"):
        ask(here, "dev")
    with pytest.raises(Usage, match="There is no environment named 'moon'"):
        ask(here, "moon")


@EACH
@pytest.mark.usefixtures("plugin")
def test_a_half_built_environment_says_what_is_missing(here: Here, account: Emulated, ask: Ask) -> None:
    with pytest.raises(LyceumError, match=r"There is no database lyceum-dev-database\. Was the environment applied"):
        ask(here, "dev")
    told: dict[str, Any] = {
        "DBInstanceIdentifier": "lyceum-dev-database", "DBInstanceStatus": "available", "DBName": "lyceum",
        "MasterUsername": "lyceum_admin", "Endpoint": {"Address": "database.internal", "Port": 5432},
    }  # fmt: skip
    account.say({"rds:DescribeDBInstances": {"result": {"DBInstances": [told]}}})
    with pytest.raises(LyceumError, match="There is no bastion lyceum-dev-bastion"):
        ask(here, "dev")


@EACH
@pytest.mark.usefixtures("plugin")
def test_the_deployer_is_sent_away(here: Here, account: Emulated, ask: Ask) -> None:
    account.as_the_deployer()
    with pytest.raises(Refused, match="The deployer may not read the database"):
        ask(here, "dev")
