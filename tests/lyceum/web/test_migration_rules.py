"""Migrations that the running code can and cannot live with, and the locks that none may hold for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from lyceum.web import migration_rules
from lyceum_lab.rehearsal import postgres

CHECKOUT = Path(__file__).resolve().parents[3]
INDEX = models.Index(fields=["title"], name="by_title")
CONSTRAINT = models.CheckConstraint(condition=models.Q(size__gt=0), name="has_a_size")


def before() -> ProjectState:
    """What stands there: one table with a title, a size that may be unknown, and a note."""
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=60)),
        ("size", models.IntegerField(null=True)),
        ("note", models.TextField(db_default="")),
    ]
    state.add_model(ModelState("shelf", "Book", fields))
    return state


def judged(*operations: Operation, note: str = "") -> list[migration_rules.Finding]:
    migration = migrations.Migration("0002_next", "shelf")
    migration.operations = list(operations)  # type: ignore[misc]
    if note:
        migration.lives_with = note  # type: ignore[attr-defined]
    return migration_rules.findings(migration, before())


BAD = {
    "a dropped column": (migrations.RemoveField("book", "size"), "Drops a column"),
    "a dropped table": (migrations.DeleteModel("Book"), "Drops a table"),
    "a renamed column": (migrations.RenameField("book", "size", "pages"), "Renames a column"),
    "a renamed table": (migrations.RenameModel("Book", "Volume"), "Renames a table"),
    "a table by another name": (migrations.AlterModelTable("book", "volumes"), "Renames a table"),
    "a column that must be written": (
        migrations.AddField("book", "isbn", models.CharField(max_length=13, default="")),
        "writes rows without this column",
    ),
    "a unique column": (
        migrations.AddField("book", "isbn", models.CharField(max_length=13, null=True, unique=True)),
        "Holds a lock",
    ),
    "a column that may no longer be empty": (
        migrations.AlterField("book", "size", models.IntegerField(default=0)),
        "may write nothing here",
    ),
    "a column of another type": (
        migrations.AlterField("book", "size", models.CharField(max_length=9, null=True)),
        "Rewrites the column",
    ),
    "a shorter text": (migrations.AlterField("book", "title", models.CharField(max_length=9)), "Rewrites the column"),
    "a default that goes": (migrations.AlterField("book", "note", models.TextField()), "the database's own value"),
    "a column that becomes unique": (
        migrations.AlterField("book", "title", models.CharField(max_length=60, unique=True)),
        "Holds a lock",
    ),
    "an index with a lock": (migrations.AddIndex("book", INDEX), "Holds a lock"),
    "a constraint": (migrations.AddConstraint("book", CONSTRAINT), "may break it"),
    "two columns unique together": (migrations.AlterUniqueTogether("book", {("title", "size")}), "Holds a lock"),
    "SQL": (migrations.RunSQL("UPDATE shelf_book SET size = 1"), "Nobody can tell"),
    "Python": (migrations.RunPython(migrations.RunPython.noop), "Nobody can tell"),
    "what is hidden from the state": (
        migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("book", "size")]),
        "Drops a column",
    ),
}
GOOD = {
    "a new table, with all that it has": (
        migrations.CreateModel("Author", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("author", "name", models.CharField(max_length=9)),
        migrations.AddIndex("author", models.Index(fields=["name"], name="by_name")),
    ),
    "a column that may be empty": (migrations.AddField("book", "isbn", models.CharField(max_length=13, null=True)),),
    "a column with the database's default": (
        migrations.AddField("book", "isbn", models.CharField(max_length=13, db_default="")),
    ),
    "a longer text": (migrations.AlterField("book", "title", models.CharField(max_length=90)),),
    "another help text": (migrations.AlterField("book", "size", models.IntegerField(null=True, help_text="pages")),),
    "what may be empty from now on": (
        migrations.AlterField("book", "title", models.CharField(max_length=60, null=True)),
    ),
    "an index without a lock": (AddIndexConcurrently("book", INDEX),),
    "a relation with a table of its own": (migrations.AddField("book", "like", models.ManyToManyField("shelf.Book")),),
    "options": (migrations.AlterModelOptions("book", {"ordering": ["title"]}),),
    "what only the state knows": (
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("book", "size")]),
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_the_running_code_cannot_live_with_is_found(what: str) -> None:
    operation, why = BAD[what]
    [found] = judged(operation)
    assert why in found.why
    assert str(found).startswith("shelf.0002_next: ")


@pytest.mark.parametrize("what", GOOD)
def test_what_it_can_live_with_is_let_pass(what: str) -> None:
    assert judged(*GOOD[what]) == []


def test_a_migration_that_says_why_is_let_pass_and_one_that_says_little_is_not() -> None:
    operation, _ = BAD["a dropped column"]
    assert judged(operation, note="Nothing has read it since release 2026.11.02.") == []
    assert judged(operation, note="ok") != []


def test_the_platforms_own_migrations(capsys: pytest.CaptureFixture[str]) -> None:
    looked, found = migration_rules.of_project()
    assert looked >= 3
    assert [str(one) for one in found] == []
    call_command("check_migrations")
    assert f"{looked} migrations" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------ locks


def prepare(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "prepare", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": "src", "DATABASE_URL": url, "SECRET_KEY": "only-for-this-test-run"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Database]:
    folder = tmp_path_factory.mktemp("postgres")
    found = postgres.start(folder / "data", folder / "log", dict(os.environ))
    try:
        assert prepare(found.owner_url).wait() == 0
        yield found
    finally:
        found.process.send_signal(signal.SIGINT)
        found.process.wait(timeout=30)


def test_a_migration_gives_a_lock_back_and_asks_again_instead_of_holding_up_everybody(
    database: postgres.Database,
) -> None:
    with psycopg.connect(database.owner_url) as busy:
        # As if the last migration had yet to come, on a table that somebody uses.
        busy.execute("DELETE FROM django_migrations WHERE app = 'progress'")
        busy.execute("DROP TABLE progress_lessonprogress")
        busy.commit()
        busy.execute("LOCK TABLE accounts_user IN ACCESS SHARE MODE")
        busy.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        process = prepare(database.owner_url, "--lock-seconds", "1")
        assert process.stdout is not None
        said = process.stdout.readline()
        while said and "A table is in use" not in said:
            said = process.stdout.readline()
        assert "trying again in 3 s (1 of 5)" in said
        busy.rollback()
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0, rest
    with psycopg.connect(database.owner_url) as after:
        assert after.execute("SELECT count(*) FROM progress_lessonprogress").fetchone() == (0,)
