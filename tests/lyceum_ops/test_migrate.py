"""The steps of a migration and what stops them; the database itself is a real one in tests/pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lyceum_ops.errors import CommandFailed, LyceumError, Refused, Usage
from lyceum_ops.migrate import Database, migrate

GIVEN = {
    "LYCEUM_DATABASE_ADDRESS": "db.internal",
    "LYCEUM_DATABASE_PORT": "5432",
    "LYCEUM_DATABASE_NAME": "lyceum",
    "LYCEUM_DATABASE_MASTER_SECRET_ARN": "master",
    "LYCEUM_DATABASE_SECRET_ARN": "application",
}
# A checkout whose manage.py writes down what it is asked, and fails where it is told to.
MANAGE = """
import os, sys
from pathlib import Path
kept = Path(__file__).with_name("asked")
kept.write_text((kept.read_text() if kept.exists() else "") + sys.argv[1] + "\\n")
assert "a p@ss" not in " ".join(sys.argv)
assert os.environ["DATABASE_URL"] == "postgresql://owner:a%20p%40ss@db.internal:5432/lyceum?sslmode=require&connect_timeout=10"
print("courses.0002: Remove field title. Drops a column." if sys.argv[1] == "check_migrations" else "done")
sys.exit(sys.argv[1] == Path(__file__).with_name("fails").read_text())
"""


def session(master: str = json.dumps({"username": "owner", "password": "a p@ss"})) -> Any:
    secrets = {"master": master, "application": "the servers' own"}
    manager = SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": secrets[SecretId]})  # noqa: N803
    return SimpleNamespace(client=lambda _: manager)


def checkout(folder: Path, fails: str = "") -> Path:
    (folder / "manage.py").write_text(MANAGE)
    (folder / "fails").write_text(fails)
    return folder


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().split()


def test_it_checks_then_migrates_then_grants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrate(checkout(tmp_path), session(), Database.from_environment(GIVEN))
    assert asked(tmp_path) == ["check_migrations", "prepare", "grant_application_role", "grant_reading"]
    said = capsys.readouterr()
    assert "p@ss" not in said.out + said.err
    assert "the servers' own" not in said.out + said.err


def test_what_the_running_code_cannot_live_with_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"The database was not touched\. courses\.0002: Remove field"):
        migrate(checkout(tmp_path, "check_migrations"), session(), Database.from_environment(GIVEN))
    assert asked(tmp_path) == ["check_migrations"]


def test_a_database_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    (folder := checkout(tmp_path, "check_migrations")).joinpath("manage.py").write_text(
        f"{MANAGE.splitlines()[1]}\nraise OSError('connection refused by db.internal')\n"
    )
    with pytest.raises(
        CommandFailed, match=r"^The database was not touched: OSError: connection refused by db\.internal Is it there"
    ):
        migrate(folder, session(), Database.from_environment(GIVEN))


def test_a_migration_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"The migration failed: done"):
        migrate(checkout(tmp_path, "prepare"), session(), Database.from_environment(GIVEN))


def test_a_master_secret_of_another_kind_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(LyceumError, match=r"not as RDS writes it") as said:
        migrate(checkout(tmp_path), session("hunter2-in-plain"), Database.from_environment(GIVEN))
    assert "hunter2" not in str(said.value)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(Usage, match=rf"{name} is not set"):
        Database.from_environment({key: value for key, value in GIVEN.items() if key != name})


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(Usage, match=r"is no port"):
        Database.from_environment({**GIVEN, "LYCEUM_DATABASE_PORT": "postgres"})
