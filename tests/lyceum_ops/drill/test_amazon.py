"""What the drill asks of AWS: of the emulated one, which makes a copy's record and no copy of a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.lyceum_ops.drill.conftest import TABLE, Live
from tests.lyceum_ops.drill.emulated import FAST, Moving, Own, nobody

from lyceum_ops.drill.amazon.database import Database
from lyceum_ops.drill.amazon.table import Table
from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.stores import Copy, Point
from lyceum_ops.errors import LyceumError

pytestmark = pytest.mark.drill


@pytest.fixture
def table(live: Live) -> Iterator[Table]:
    live.dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    yield Table(Moving(live.dynamodb), "dev", FAST)
    live.dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def test_a_table_is_brought_back_to_a_second_and_compared(live: Live, table: Table) -> None:
    report = drill("dev", [table], nobody)
    assert report.wrong == []
    assert report.held
    assert report.stores["progress"].rows == 1
    assert report.stores["progress"].point.startswith(f"{TABLE} at 20")
    assert table.left() == []


def test_what_was_lost_between_the_second_and_the_copy_is_found(
    live: Live, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = live.dynamodb.scan(TableName=TABLE)["Items"][0]
    restore = table.restore

    def lossy(point: Point, number: str) -> Any:
        made = restore(point, number)
        key = {"pk": item["pk"], "sk": item["sk"]}
        live.dynamodb.delete_item(TableName=made.name, Key=key)
        from lyceum_ops.drill import items

        return replace(made, manifest=items.of_table(live.dynamodb, made.name))

    monkeypatch.setattr(table, "restore", lossy)
    report = drill("dev", [table], nobody)
    assert report.wrong == ["progress: items: 0 rows instead of 1 (-1)"]
    assert table.left() == []


def test_without_point_in_time_recovery_it_says_so(live: Live) -> None:
    with pytest.raises(LyceumError, match=r"point-in-time recovery of lyceum-dev-progress is off\. See docs/runbook"):
        Table(live.dynamodb, "dev", FAST).protect()


def database(live: Live, rds: Moving) -> Database:
    @contextmanager
    def reach(host: str) -> Iterator[int]:
        assert "drill" in host
        raise LyceumError(f"Nobody listens at {host.split('.')[0]}.")
        yield 0

    return Database(rds, "dev", Own("lyceum_admin", live.database.owner_url, 0, "lyceum"), reach, FAST)


def test_a_copy_of_the_database_is_small_private_marked_and_removed(live: Live, rds: Any) -> None:
    asking = Moving(rds)
    report = drill("dev", [database(live, asking)], nobody)
    # The emulator's copy is a record, behind which nobody listens: so far it goes, and everything is taken away again.
    number = report.number
    assert report.wrong == [f"database: cannot be restored: Nobody listens at lyceum-dev-drill-{number}-database."]
    told = dict(next(told for name, told in asking.asked if name == "restore_db_instance_to_point_in_time"))
    second = told.pop("RestoreTime")
    assert second.microsecond == 0
    assert told.pop("TargetDBInstanceIdentifier") == f"lyceum-dev-drill-{number}-database"
    assert told["SourceDBInstanceIdentifier"] == "lyceum-dev-database"
    assert (told["PubliclyAccessible"], told["MultiAZ"], told["DeletionProtection"]) == (False, False, False)
    assert told["Tags"] == [{"Key": "Drill", "Value": number}]
    changed = [told for name, told in asking.asked if name == "modify_db_instance"]
    assert {one["DBInstanceIdentifier"] for one in changed} == {f"lyceum-dev-drill-{number}-database"}
    removed = [told["DBInstanceIdentifier"] for name, told in asking.asked if name == "delete_db_instance"]
    assert removed == [f"lyceum-dev-drill-{number}-database"]
    assert [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]] == [
        "lyceum-dev-database"
    ]


def test_a_database_whose_log_is_behind_is_not_waited_for_without_end(live: Live, rds: Any) -> None:
    behind = database(live, Moving(rds, timedelta(hours=1)))
    behind.pace = replace(FAST, recoverable=0.3)
    with pytest.raises(LyceumError, match=r"was not restorable to \d\d:\d\d:\d\d within"):
        drill("dev", [behind], nobody)


def test_a_learner_comes_to_a_copy_by_a_new_way(live: Live, rds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one may be closed at its other end: the rows were compared long ago."""
    ways: list[str] = []

    @contextmanager
    def reach(host: str) -> Iterator[int]:
        ways.append("opened")
        yield 40000 + len(ways)
        ways.append("closed")

    copies = Database(Moving(rds), "dev", Own("lyceum_admin", "", 0, "lyceum"), reach, FAST)
    name, asked = "lyceum-dev-drill-0123abcd-database", list[str]()
    first = copies.bring_back(datetime.now(UTC), "0123abcd")

    class NobodyListens(Exception):
        pass

    def connect(url: str, **_: Any) -> None:
        asked.append(url)
        raise NobodyListens

    monkeypatch.setattr(psycopg, "connect", connect)
    with pytest.raises(NobodyListens):
        copies.learners_see(Copy(name, {}))
    assert ways == ["opened", "closed", "opened"]
    assert asked == [copies.url("0123abcd")]
    # Under the password that the copy was given.
    assert asked[0] == f"postgresql://lyceum_admin:{first.password}@127.0.0.1:40003/lyceum?sslmode=require"
    copies.remove(name)
    assert ways == ["opened", "closed", "opened", "closed"]
