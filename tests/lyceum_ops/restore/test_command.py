"""A course of an environment that is not there, or asked for by somebody who may not, is told before a copy is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import CHECKOUT, Emulated
from tests.lyceum_ops.drill.test_amazon import FAST, Moving, Own
from tests.lyceum_ops.restore.conftest import SLUG, Lost

from lyceum_ops.drill.amazon import Database
from lyceum_ops.errors import LyceumError, MissingTool, Refused, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.restore.command import Past, course
from lyceum_ops.restore.course import Opened, restore

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


class Older(Moving):
    """A database that was made some time ago."""

    made: datetime | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = super().__getattr__(name)

        def older(*words: Any, **told: Any) -> Any:
            answer = call(*words, **told)
            for one in answer.get("DBInstances", []) if name == "describe_db_instances" and self.made else []:
                one["InstanceCreateTime"] = self.made
            return answer

        return older if name == "describe_db_instances" else call


class Behind(Past):
    """RDS's calls, of the emulator, which makes a copy's record; behind it, what PostgreSQL itself brought back."""

    rows: Opened

    def bring_back(self, at: Any, number: str) -> Opened:
        who = self.database.bring_back(at, number)
        assert (who.user, who.port) == ("lyceum_admin", 5432)
        assert self.database.url(number).endswith("@127.0.0.1:5432/lyceum?sslmode=require")
        return self.rows


def test_on_aws_the_copy_is_rdss_and_goes_again(lost: Lost) -> None:
    lost.rds.create_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", Engine="postgres", DBInstanceClass="db.t4g.micro", DBName="lyceum",
        MasterUsername="lyceum_admin", MasterUserPassword="only-for-this-test", AllocatedStorage=20,
        BackupRetentionPeriod=7,
    )  # fmt: skip
    reached: list[str] = []

    @contextmanager
    def reach(host: str) -> Iterator[int]:
        reached.append(host)
        yield 5432

    asking = Older(lost.rds)
    database = Database(asking, "dev", Own("lyceum_admin", "", 0, "lyceum"), reach, FAST)
    past, recovered = Behind(database), lost.past()
    try:
        with lost.connect() as live:
            found = live.execute("SELECT action_time FROM django_admin_log ORDER BY action_time LIMIT 1").fetchone()
        assert found
        object.__setattr__(past, "rows", recovered.bring_back(lost.began, "00000000"))
        # The instance was made a moment ago, and its log goes back no further.
        with pytest.raises(Refused, match=r"The database goes back to .* and no further"):
            restore(SLUG, lost.began, lost.stores(past=past))
        asking.made = lost.began
        brought = restore(SLUG, None, lost.stores(past=past))
    finally:
        recovered.remove("drill-00000000-database")
        lost.rds.delete_db_instance(DBInstanceIdentifier="lyceum-dev-database", SkipFinalSnapshot=True)
    assert brought.moved.put["courses_course"] == 1
    assert len(reached) == 1
    told = next(told for name, told in asking.asked if name == "restore_db_instance_to_point_in_time")
    assert told["RestoreTime"] == brought.at
    assert told["RestoreTime"] < found[0]
    removed = [told["DBInstanceIdentifier"] for name, told in asking.asked if name == "delete_db_instance"]
    assert removed == [told["TargetDBInstanceIdentifier"]]
    assert database.left() == []
