"""A bucket out of the vault is held against the versions of then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.lyceum_ops.drill.conftest import BUCKET
from tests.lyceum_ops.drill.emulated import nobody
from tests.lyceum_ops.drill.weekly.conftest import Account, back_up_the_bucket, bucket

from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.drill import drill

pytestmark = pytest.mark.drill


def test_a_weekly_copy_of_the_bucket_is_held_against_the_versions_of_then(account: Account) -> None:
    s3 = account.live.s3
    s3.put_object(Bucket=BUCKET, Key="notes/plan.md", Body=b"of then")
    back_up_the_bucket(account)
    s3.put_object(Bucket=BUCKET, Key="notes/plan.md", Body=b"of now")
    s3.put_object(Bucket=BUCKET, Key="notes/newer.md", Body=b"since")
    store = bucket(account)
    report = drill("dev", [store], nobody)
    assert report.wrong == []
    assert report.held
    objects = report.stores["content"].parts[0]
    assert (objects.moving, objects.rows) == (0, len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) - 1)
    assert store.left() == []
    s3.delete_object(Bucket=BUCKET, Key="notes/newer.md")
    # What is deleted since was there then.
    s3.delete_object(Bucket=BUCKET, Key="notes/plan.md")
    assert drill("dev", [store], nobody).wrong == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda s3, name: s3.delete_object(Bucket=name, Key="notes/plan.md"), r"rows instead of \d+ \(-1\)"),
        (lambda s3, name: s3.put_object(Bucket=name, Key="notes/plan.md", Body=b"of thee"), "rows are altered in 1 of"),
        (lambda s3, name: s3.put_object(Bucket=name, Key="notes/odd.md", Body=b"?"), r"rows instead of \d+ \(\+1\)"),
    ],
)  # fmt: skip
def test_an_object_that_is_lost_or_other_is_found(
    account: Account, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Any, str], Any], said: str
) -> None:
    s3 = account.live.s3
    s3.put_object(Bucket=BUCKET, Key="notes/plan.md", Body=b"of then")
    back_up_the_bucket(account)
    restore = Vault.restore

    def harmed(vault: Vault, point: str, kind: str, metadata: Mapping[str, str]) -> str:
        made = restore(vault, point, kind, metadata)
        harm(s3, made.rpartition(":")[2])
        return made

    monkeypatch.setattr(Vault, "restore", harmed)
    (found,) = drill("dev", [bucket(account)], nobody).wrong
    assert re.search(said, found)
