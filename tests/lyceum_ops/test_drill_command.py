"""A drill of an environment that is not there, or by somebody who may not, says so before anything is made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import Emulated

from lyceum_ops.drill.command import finish, reports, restore
from lyceum_ops.drill.manifest import Verdict
from lyceum_ops.drill.report import Report, StoreReport
from lyceum_ops.errors import LyceumError, MissingTool, Refused, Usage
from lyceum_ops.operate import Asked, Here

pytestmark = pytest.mark.drill


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "bin" / "session-manager-plugin"
    found.parent.mkdir()
    found.write_text("#!/bin/sh\necho 1.2.707.0\n")
    found.chmod(0o755)
    monkeypatch.setenv("PATH", f"{found.parent}:{os.environ['PATH']}")


def test_without_the_plugin_nobody_is_asked(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match="session-manager-plugin is not here"):
        restore(here, "dev", asked=Asked())
    with pytest.raises(Usage, match="There is no environment named 'moon'"):
        restore(here, "moon", asked=Asked())


@pytest.mark.usefixtures("plugin")
def test_a_half_built_environment_says_what_is_missing(here: Here, account: Emulated) -> None:
    with pytest.raises(LyceumError, match=r"There is no database lyceum-dev-database\. Was the environment applied"):
        restore(here, "dev", asked=Asked())
    told: dict[str, Any] = {
        "DBInstanceIdentifier": "lyceum-dev-database", "DBInstanceStatus": "available", "DBName": "lyceum",
        "MasterUsername": "lyceum_admin", "Endpoint": {"Address": "database.internal", "Port": 5432},
    }  # fmt: skip
    account.say({"rds:DescribeDBInstances": {"result": {"DBInstances": [told]}}})
    with pytest.raises(LyceumError, match="There is no bastion lyceum-dev-bastion"):
        restore(here, "dev", asked=Asked())


@pytest.mark.usefixtures("plugin")
def test_the_deployer_is_sent_away(here: Here, account: Emulated) -> None:
    account.as_the_deployer()
    with pytest.raises(Refused, match="The deployer may not read the database"):
        restore(here, "dev", asked=Asked())


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, 0), ({"learner": "", "learner_failed": "could not sign in"}, 1), ({"left": ["a-drill-0123abcd-copy"]}, 1),
     ({"stores": {}}, 1)],
)  # fmt: skip
def test_only_a_drill_in_which_everything_held_ends_with_0(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], code: int
) -> None:
    store = StoreReport("database", "a point", 12.0, parts=[Verdict("accounts_user", 3, "00ff", 0)])
    report = Report("dev", "0123abcd", datetime.now(UTC), {"database": store}, 340.0, "A learner signed in.")
    for name, value in change.items():
        setattr(report, name, value)
    assert finish(report, reports(here, tmp_path / "reports")) == code
    said = capsys.readouterr().out
    assert ("held: RPO 12 s, RTO 6 min, 3 rows, 0 differences" in said) == (code == 0)
    assert ("FAILED" in said) == (code == 1)
    assert len(list((tmp_path / "reports").iterdir())) == 2


def test_a_folder_that_takes_no_report_is_told_before_the_drill(here: Here, tmp_path: Path) -> None:
    assert reports(here, tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()  # a drill that is refused leaves nothing
    assert not reports(here, None).exists()
    (tmp_path / "file").write_text("a file")
    with pytest.raises(Usage, match=r"No report can be written to .*file"):
        reports(here, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "a file"
