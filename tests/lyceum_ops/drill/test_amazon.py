"""What the drill asks of AWS: of the emulated one, which makes a copy's record and no copy of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.lyceum_ops.drill.conftest import TABLE, Live

from lyceum_ops.drill.amazon import Database, Pace, Table
from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.stores import Point
from lyceum_ops.errors import LyceumError
from lyceum_ops.tunnel.login import Login

pytestmark = pytest.mark.drill
FAST = Pace(poll=0.05, recoverable=10, restored=10, settle=0.1)


def nobody(*_: Any) -> str:
    return "a learner was not asked"


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


class Moving:
    """The emulated service, with a latest restorable time that moves on, as AWS's does."""

    def __init__(self, client: Any, behind: timedelta = timedelta(0)) -> None:
        self._client, self._behind = client, behind
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        made: Callable[..., Any] = getattr(self._client, name)

        def call(*words: Any, **told: Any) -> Any:
            self.asked.append((name, told))
            answer = made(*words, **told)
            if name == "describe_db_instances":
                for one in answer["DBInstances"]:
                    one["LatestRestorableTime"] = datetime.now(UTC) - self._behind
            if name == "describe_continuous_backups":
                recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
                recovery["LatestRestorableDateTime"] = datetime.now(UTC) - self._behind
            return answer

        return call


@pytest.fixture
def rds(live: Live) -> Iterator[Any]:
    client = live.session.client("rds", endpoint_url=live.dynamodb.meta.endpoint_url)
    client.create_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", Engine="postgres", DBInstanceClass="db.t4g.micro", DBName="lyceum",
        MasterUsername="lyceum_admin", MasterUserPassword="only-for-this-test", AllocatedStorage=20,
        DeletionProtection=True, MultiAZ=True, BackupRetentionPeriod=7,
    )  # fmt: skip
    yield client
    client.modify_db_instance(DBInstanceIdentifier="lyceum-dev-database", DeletionProtection=False)
    client.delete_db_instance(DBInstanceIdentifier="lyceum-dev-database", SkipFinalSnapshot=True)


class Own(Login):
    """Who logs in to the database of this test, whatever the password: it speaks no TLS."""

    def connect(self, seconds: int = 10) -> Any:
        return psycopg.connect(self.password, autocommit=True)


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
    with pytest.raises(LyceumError, match=r"was not restorable to \d\d:\d\d:\d\d: not within"):
        drill("dev", [behind], nobody)
