"""A table out of the vault is held against what its own log says of then."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.lyceum_ops.drill.conftest import TABLE
from tests.lyceum_ops.drill.emulated import nobody
from tests.lyceum_ops.drill.weekly.conftest import Account, table

from lyceum_ops.drill.amazon import vault
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.drill import drill
from lyceum_ops.errors import LyceumError

pytestmark = pytest.mark.drill


def test_a_weekly_copy_of_the_table_is_held_against_the_tables_own_log(account: Account) -> None:
    account.back_up(account.table_arn)
    store = table(account)
    report = drill("dev", [store], nobody)
    assert report.wrong == []
    assert report.held
    assert report.stores["progress"].rows == 1
    assert ":table/lyceum-dev-progress/backup/" in report.stores["progress"].point
    assert store.left() == []


def test_a_row_that_the_recovery_point_lost_is_found(account: Account) -> None:
    dynamodb = account.live.dynamodb
    item = dynamodb.scan(TableName=TABLE)["Items"][0]
    key = {"pk": item["pk"], "sk": item["sk"]}
    dynamodb.delete_item(TableName=TABLE, Key=key)
    account.back_up(account.table_arn)
    dynamodb.put_item(TableName=TABLE, Item=item)  # and the log has it at both moments
    assert drill("dev", [table(account)], nobody).wrong == ["progress: items: 0 rows instead of 1 (-1)"]


def test_without_a_recovery_point_or_with_one_that_is_too_old_nothing_is_made(account: Account) -> None:
    with pytest.raises(
        LyceumError, match=r"keeps no recovery point of arn:aws:dynamodb:.*See docs/runbook/backup-failed"
    ):
        drill("dev", [table(account)], nobody)
    account.back_up(account.table_arn)
    late = table(account)
    late.oldest = lambda: account.vault.newest(account.table_arn).ended  # type: ignore[method-assign]
    with pytest.raises(LyceumError, match="and the log that it would be held against begins at"):
        drill("dev", [late], nobody)
    asked = [name for name, _ in late.dynamodb.asked]
    assert "restore_table_to_point_in_time" not in asked


def test_a_job_that_fails_says_why_and_what_the_moments_made_is_gone(account: Account) -> None:
    account.back_up(account.table_arn)
    store = table(account)
    store.vault.restore = lambda *_: Vault.restore(store.vault, _[0], "DynamoDB", {})  # type: ignore[method-assign]
    report = drill("dev", [store], nobody)
    (said,) = report.wrong
    assert re.search(r"cannot be restored: AWS Backup failed restore job .*'targetTableName' is missing", said)
    assert store.left() == []


def test_a_point_that_is_older_than_a_week_is_no_weekly_one(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.back_up(account.table_arn)
    monkeypatch.setattr(vault, "OLDEST", timedelta(seconds=-60))
    with pytest.raises(LyceumError, match=r"newest recovery point of arn:aws:dynamodb:.* is of 20.*backup-failed"):
        table(account).newest()


def test_nothing_is_made_of_what_is_restored_after_the_drill_ended(account: Account) -> None:
    account.back_up(account.table_arn)
    store = table(account)
    point = store.protect()
    store.vault.ended.set()
    with pytest.raises(LyceumError, match=r"The drill ended while restore job .* was under way"):
        store.restore(point, "0123abcd")
    (left,) = store.left()
    store.remove(left)
