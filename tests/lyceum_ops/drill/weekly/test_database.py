"""A database out of the vault is held against what its own log says of then."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.lyceum_ops.drill.emulated import Moving, nobody
from tests.lyceum_ops.drill.weekly.conftest import Account, database

from lyceum_ops.drill.drill import drill

pytestmark = pytest.mark.drill


def test_a_weekly_copy_of_the_database_is_held_against_its_log(account: Account, rds: Any, kept: str) -> None:
    account.back_up(rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"])
    asking = Moving(rds)
    store = database(account, asking, kept)
    report = drill("dev", [store], nobody)
    assert report.wrong == []
    assert report.held
    told = report.stores["database"]
    assert "snapshot:awsbackup:job-" in told.point
    assert {"accounts_user", "courses_enrolment", "shared_sharedfile"} <= {part.part for part in told.parts}
    # Three copies: of the log at both moments, and the weekly one; each is private, and none is left.
    made = {"restore_db_instance_to_point_in_time": "log", "add_tags_to_resource": "vault", "delete_db_instance": "-"}
    steps = [made[name] for name, _ in asking.asked if name in made]
    assert steps == ["log", "-", "log", "-", "vault", "-"]  # no copy is paid for longer than it is looked at
    assert store.left() == []
    assert [
        told["ResourceName"].rpartition(":")[2] for name, told in asking.asked if name == "add_tags_to_resource"
    ] == [told.copy]


def test_a_row_that_the_weekly_copy_has_otherwise_is_found(account: Account, rds: Any, kept: str) -> None:
    account.back_up(rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"])
    with psycopg.connect(kept, autocommit=True) as copy:
        copy.execute("UPDATE courses_course SET title = title || '.'")
    (said,) = drill("dev", [database(account, Moving(rds), kept)], nobody).wrong
    assert said.startswith("database: courses_course: rows are altered in 1 of 256 buckets")
