"""Shared files out of the vault are read where the servers stand, and held against the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.drill.emulated import nobody
from tests.lyceum_ops.drill.weekly.conftest import Shared, table

from lyceum_ops.drill.amazon.files import WeeklyFiles
from lyceum_ops.drill.amazon.reader import Reader
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.drill import drill

pytestmark = pytest.mark.drill


def test_restored_files_are_read_where_the_servers_stand_and_held_against_the_database(shared: Shared) -> None:
    report = drill("dev", [shared.store], nobody)
    assert report.wrong == []
    assert report.held
    assert report.stores["files"].rows == 1
    asked = shared.ec2.asked
    # As a server stands, without what a server may: no role, no way in but its own.
    assert "IamInstanceProfile" not in asked
    assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
    (network,) = asked["NetworkInterfaces"]
    assert (network["Groups"], network["AssociatePublicIpAddress"]) == ([shared.servers], False)
    # In the zone of the mount target: the file system's name leads there alone.
    assert network["SubnetId"] == shared.beside
    assert shared.store.left() == []
    efs = shared.account.client("efs")
    assert [one["CreationToken"] for one in efs.describe_file_systems()["FileSystems"]] == ["lyceum-dev-files"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [(Path.unlink, "files: 0 rows instead of 1"), (lambda path: path.write_bytes(b"?"), "rows are altered in 1 of")],
)
def test_a_file_that_is_lost_or_other_is_found(shared: Shared, harm: Callable[[Path], Any], said: str) -> None:
    (file,) = [path for path in shared.restored.rglob("*") if path.is_file()]
    harm(file)
    (found,) = drill("dev", [shared.store], nobody).wrong
    assert said in found


def test_an_instance_that_cannot_read_says_why_and_everything_goes(shared: Shared) -> None:
    shared.ec2.mounts = "echo mount.efs: no such host; exit 32"
    (said,) = drill("dev", [shared.store], nobody).wrong
    assert re.search(r"cannot be restored: i-\w+ could not read the restored files: mount.efs: no such host", said)
    assert shared.store.left() == []


def test_what_a_killed_drill_left_of_the_files_is_found_and_removed(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WeeklyFiles, "remove", lambda *_: None)
    point = shared.store.protect()
    made = shared.store.restore(point, "0123abcd")
    monkeypatch.undo()
    assert shared.store.left() == [made.name] == ["lyceum-dev-drill-0123abcd-files"]
    assert drill("dev", [shared.store], nobody).swept == [made.name]
    assert shared.store.left() == []


def test_an_instance_that_ends_without_a_word_is_not_waited_for(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.ec2.boots = False
    reader, looks = shared.store.reader, iter(range(9))
    read, left = Reader.read, Reader.left

    def seen_late(reader: Reader) -> list[tuple[str, str]]:
        # As AWS shows it: not at once, then for a while, and no more.
        return [("a-copy", shared.ec2.started)] if next(looks) == 1 else []

    def watched(reader: Reader, *words: Any) -> str:
        monkeypatch.setattr(Reader, "left", seen_late)
        try:
            return read(reader, *words)
        finally:
            monkeypatch.setattr(Reader, "left", left)

    monkeypatch.setattr(Reader, "read", watched)
    (said,) = drill("dev", [shared.store], nobody).wrong
    assert re.search(r"i-\w+ ended without a word of the restored files", said)
    assert next(looks) == 3
    assert reader.left() == []


def test_the_live_file_system_is_never_taken_for_a_copy(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    efs = shared.account.client("efs")
    (live,) = efs.describe_file_systems()["FileSystems"]
    monkeypatch.setattr(Vault, "restore", lambda *_: live["FileSystemArn"])
    (said,) = drill("dev", [shared.store], nobody).wrong
    assert said.endswith(f"AWS Backup restored into {live['FileSystemId']}, which is left alone.")
    # Nor by a tag that says so.
    tags = [{"Key": "Name", "Value": "lyceum-dev-drill-0123abcd-files"}]
    efs.tag_resource(ResourceId=live["FileSystemId"], Tags=tags)
    assert shared.store.left() == []
    assert [one["FileSystemId"] for one in efs.describe_file_systems()["FileSystems"]] == [live["FileSystemId"]]


def test_a_drill_of_other_stores_takes_away_what_was_left_of_the_files(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = shared.account
    monkeypatch.setattr(WeeklyFiles, "remove", lambda *_: None)
    made = shared.store.restore(shared.store.protect(), "0123abcd")
    monkeypatch.undo()
    account.back_up(account.table_arn)
    assert drill("dev", [table(account)], nobody, others=[shared.store]).swept == [made.name]
    assert shared.store.left() == []
