"""A bucket out of the vault is held against the versions of then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT
from tests.lyceum_ops.drill.conftest import BUCKET
from tests.lyceum_ops.drill.emulated import FAST, nobody
from tests.lyceum_ops.drill.weekly.conftest import Account, back_up_the_bucket, bucket

from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.drill import drill
from lyceum_ops.errors import LyceumError

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


def copied_with(harm: Callable[[Any, str], Any], account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery point of one more object, and harm done to each bucket that is made of it."""
    s3, restore = account.live.s3, Vault.restore
    s3.put_object(Bucket=BUCKET, Key="notes/plan.md", Body=b"of then")
    back_up_the_bucket(account)

    def harmed(vault: Vault, point: str, kind: str, metadata: Mapping[str, str]) -> str:
        made = restore(vault, point, kind, metadata)
        harm(s3, made.rpartition(":")[2])
        return made

    monkeypatch.setattr(Vault, "restore", harmed)


def loses_one(s3: Any, name: str) -> None:
    s3.delete_object(Bucket=name, Key="notes/plan.md")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (loses_one, r"rows instead of \d+ \(-1\)"),
        (lambda s3, name: s3.put_object(Bucket=name, Key="notes/plan.md", Body=b"of thee"), "rows are altered in 1 of"),
        (lambda s3, name: s3.put_object(Bucket=name, Key="notes/odd.md", Body=b"?"), r"rows instead of \d+ \(\+1\)"),
    ],
)  # fmt: skip
def test_an_object_that_is_lost_or_other_is_found(
    account: Account, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Any, str], Any], said: str
) -> None:
    copied_with(harm, account, monkeypatch)
    (found,) = drill("dev", [bucket(account)], nobody).wrong
    assert re.search(said, found)


def test_what_was_being_uploaded_about_the_copy_is_in_motion(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 dates an object by the beginning of its upload, and the copy may have been over before its end."""
    copied_with(loses_one, account, monkeypatch)
    store = bucket(account)
    store.uploads = timedelta(hours=1)
    report = drill("dev", [store], nobody)
    assert report.wrong == []
    assert report.stores["content"].moving > 0


class Refusing:
    """S3, which deletes no object, and says so as it does."""

    def __init__(self, client: Any, code: str) -> None:
        self._client, self._code = client, code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_objects(self, **told: Any) -> Any:
        return {"Errors": [{"Key": one["Key"], "Code": self._code} for one in told["Delete"]["Objects"]]}


def test_a_bucket_that_cannot_be_emptied_is_told_and_one_that_is_gone_is_gone(account: Account) -> None:
    s3, name = account.live.s3, f"lyceum-dev-drill-0123abcd-content-{ACCOUNT}"
    buckets.make(s3, name)
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    with pytest.raises(LyceumError, match=f"S3 does not delete a in {name}: AccessDenied"):
        buckets.remove(Refusing(s3, "AccessDenied"), name, FAST)
    with pytest.raises(LyceumError, match="could not be emptied within"):
        buckets.remove(Refusing(s3, "SlowDown"), name, replace(FAST, from_vault=0.2))
    buckets.remove(s3, name, FAST)
    buckets.remove(s3, name, FAST)
    assert bucket(account).left() == []
