"""All four come back together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT
from tests.lyceum_ops.drill.emulated import Moving
from tests.lyceum_ops.drill.weekly.conftest import Shared, back_up_the_bucket, bucket, database, table

from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.stores import Store

pytestmark = pytest.mark.drill


def test_all_four_come_back_together_and_a_learner_is_shown_the_copies(shared: Shared, rds: Any, kept: str) -> None:
    account = shared.account
    account.back_up(account.table_arn, rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"])
    back_up_the_bucket(account)
    shown: dict[str, str] = {}

    def trial(copies: Mapping[str, str], _: str) -> str:
        shown.update(copies)
        return "went on"

    four: list[Store] = [database(account, Moving(rds), kept), table(account), bucket(account), shared.store]
    report = drill("dev", four, trial)
    assert report.wrong == []
    assert report.held
    number = report.number
    assert shown == {
        "DATABASE_URL": kept, "PROGRESS_URL": f"dynamodb://lyceum-dev-drill-{number}-progress",
        "CONTENT_URL": f"s3://lyceum-dev-drill-{number}-content-{ACCOUNT}",
    }  # fmt: skip
