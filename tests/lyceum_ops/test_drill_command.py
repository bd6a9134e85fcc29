"""Where a drill's report goes, and with which code it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lyceum_ops.drill import command
from lyceum_ops.drill.command import finish, reports
from lyceum_ops.drill.manifest import Verdict
from lyceum_ops.drill.report import Report, StoreReport
from lyceum_ops.errors import Usage
from lyceum_ops.operate import Asked, Here

pytestmark = pytest.mark.drill


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


def test_tables_of_a_week_ago_are_migrated_before_a_learner_sees_them(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform that tries them is today's."""
    did: list[str] = []

    def learner(_: object, number: str) -> str:
        did.append(f"learner of {number}")
        return "went on"

    stands_for: dict[str, Any] = {
        "live": SimpleNamespace(find=lambda *_, **__: None), "_vault": lambda _: SimpleNamespace(ended=None),
        "_weekly": lambda *_: (), "migrating": lambda _: did.append,
        "_trial": lambda *_: learner,
        "drill": lambda _, __, trial, ended: trial({"DATABASE_URL": "tables of then"}, "0123abcd"),
    }  # fmt: skip
    for name, does in stands_for.items():
        monkeypatch.setattr(command, name, does)
    said: object = command.restore_weekly(here, "dev", asked=Asked())
    assert said == "went on"
    assert did == ["tables of then", "learner of 0123abcd"]
