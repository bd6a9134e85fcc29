"""Which stores answer: told by name to whoever asks, by reason to whoever starts a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from moto import mock_aws
from pytest_django import Settings

from lyceum.content import ContentStore
from lyceum.content import store as content
from lyceum.progress import stores as progress
from lyceum.web import readiness
from lyceum.web.bounded import Bulkhead


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is kept from one test to the next."""
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)
    readiness.kept.forget()
    yield
    readiness.kept.forget()


@pytest.fixture
def whole(db: None, tmp_path: Path, settings: Settings, content_store: ContentStore) -> Path:
    """Everything is there, the shared files in the folder given."""
    settings.SHARED_FILES_DIR = tmp_path / "shared"
    settings.SHARED_FILES_DIR.mkdir()
    return Path(settings.SHARED_FILES_DIR)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Any]:
    """An account with a bucket and without the table that PROGRESS_URL names."""
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="lyceum-selftest")
        content._store_at.cache_clear()
        progress._store.cache_clear()
        settings.CONTENT_URL, settings.PROGRESS_URL = "s3://lyceum-selftest", "dynamodb://lyceum-selftest"
        yield boto3.client("dynamodb", region_name="us-east-1")
    content._store_at.cache_clear()
    progress._store.cache_clear()


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, json.loads(answer.content)["checks"]


def fits(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """Names of the checks that failed, and all that was said of them."""
    with suppress(CommandError):
        call_command("selftest")
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert len(lines) == 6
    return [line.split()[1].rstrip(":") for line in lines if line.startswith("FAILED ")], said.err


def create(table: Any) -> None:
    names = {"pk": "HASH", "sk": "RANGE"}
    table.create_table(
        TableName="lyceum-selftest",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
    )


def test_all_is_well(whole: Path, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert ready(client) == (200, {"database": "ok", "progress": "ok", "content": "ok", "shared": "ok"})
    assert fits(capsys) == ([], "")
    assert [path for path in whole.rglob("*") if path.is_file()] == []
    assert client.post("/readyz").status_code == 405


def test_on_aws(whole: Path, aws: Any, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    status, checks = ready(client)
    assert (status, checks) == (503, {"database": "ok", "progress": "failed", "content": "ok", "shared": "ok"})
    failed, said = fits(capsys)
    assert failed == ["progress"]
    assert "ResourceNotFoundException" in said
    create(aws)
    assert ready(client)[0] == 200
    assert fits(capsys) == ([], "")


def test_a_bucket_that_is_not_there(
    whole: Path, aws: Any, client: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """S3 says 404 to a key that is not there and to a bucket that is not there; only one of them is fit."""
    create(aws)
    settings.CONTENT_URL = "s3://lyceum-another"
    assert ready(client)[1]["content"] == "failed"
    assert fits(capsys)[0] == ["content"]


def test_shared_files_that_are_away(
    whole: Path, client: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SHARED_FILES_DIR = whole / "elsewhere"
    answer = client.get("/readyz")
    assert (answer.status_code, json.loads(answer.content)["checks"]["shared"]) == (503, "failed")
    assert str(whole) not in answer.content.decode()  # names, and no reason, to everybody
    assert client.get("/healthz").status_code == 200
    failed, said = fits(capsys)
    assert failed == ["shared"]
    assert "FileNotFoundError" in said
    with pytest.raises(CommandError, match="This server is not fit: shared"):
        call_command("selftest")


def test_a_migration_that_is_not_applied(whole: Path, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'shared'")
    failed, said = fits(capsys)
    assert failed == ["migrations"]
    assert "1 migrations are not applied (shared.0001_initial)" in said
    assert ready(client)[0] == 200  # the old code's servers go on while a migration is on its way


def test_of_a_release_only_its_own_faults_fail(
    whole: Path, aws: Any, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    # A table that is away comes back; a server has to boot meanwhile.
    call_command("selftest", "--release")
    assert "away progress: ResourceNotFoundException" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'shared'")
    with pytest.raises(CommandError, match="not fit: migrations"):
        call_command("selftest", "--release")
    settings.ALLOWED_HOSTS = ["*"]
    with pytest.raises(CommandError, match="not fit: settings, migrations"):
        call_command("selftest", "--release")


def test_no_tables_at_all(whole: Path, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO gone")
    try:
        assert ready(client)[1]["database"] == "failed"
        assert "database" in fits(capsys)[0]
    finally:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO django_migrations")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("DEBUG", True, "LYCEUM_DEBUG"), ("SECRET_KEY", "short", "SECRET_KEY"), ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS")],
)
def test_settings_that_no_server_should_have(
    whole: Path, settings: Settings, capsys: pytest.CaptureFixture[str], name: str, value: Any, said: str
) -> None:
    setattr(settings, name, value)
    failed, words = fits(capsys)
    assert failed == ["settings"]
    assert said in words


def test_a_store_that_hangs_is_given_up(whole: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(readiness, "SECONDS", 0.2)
    monkeypatch.setitem(readiness._bulkheads, "content", Bulkhead("content", at_once=2))
    monkeypatch.setattr("lyceum.content.folder.FolderStore.exists", lambda *_: gate.wait(20))
    assert ready(client)[1]["content"] == "failed"
    gate.set()


def test_nobody_waits_for_a_store_that_hangs_where_an_answer_is_known(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "CHECKS", {"content": readiness.content})
    monkeypatch.setitem(readiness._bulkheads, "content", Bulkhead("content", at_once=2))
    assert readiness.kept.failed() == frozenset()
    asked, gate = threading.Event(), threading.Event()

    def hang(*_: object) -> bool:
        asked.set()
        return gate.wait(20)

    monkeypatch.setattr("lyceum.content.folder.FolderStore.exists", hang)
    first = threading.Thread(target=readiness.kept.failed)
    first.start()
    try:
        assert asked.wait(5)
        assert readiness.kept.failed() == frozenset()
        assert first.is_alive(), "the second was told while the first still asked"
    finally:
        gate.set()
        first.join()


def test_whoever_asks_often_is_told_what_is_known(
    whole: Path, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60)
    assert ready(client)[0] == 200
    settings.SHARED_FILES_DIR = whole / "elsewhere"
    assert ready(client)[0] == 200
    readiness.kept.forget()
    assert ready(client)[0] == 503
