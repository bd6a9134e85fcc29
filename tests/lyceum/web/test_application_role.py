"""What the servers may do in the database and what not, tried on a real PostgreSQL with an owner as RDS makes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lyceum_lab.rehearsal import postgres

CHECKOUT = Path(__file__).resolve().parents[3]
PASSWORD = "a-password-of-the-test's-own"  # with a quote, which SQL must survive


def manage(url: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": "src", "DATABASE_URL": url, "SECRET_KEY": "only-for-this-test-run", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Database]:
    folder = tmp_path_factory.mktemp("postgres")
    database = postgres.start(folder / "data", folder / "log", dict(os.environ))
    try:
        prepared = manage(database.owner_url, "prepare")
        assert prepared.returncode == 0, prepared.stdout + prepared.stderr
        yield database
    finally:
        database.process.send_signal(signal.SIGINT)
        database.process.wait(timeout=30)


@pytest.fixture(scope="module")
def granted(server: postgres.Database) -> postgres.Database:
    # Twice: a migration step that is run again must change nothing.
    for _ in range(2):
        done = manage(server.owner_url, "grant_application_role", LYCEUM_APPLICATION_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stdout + done.stderr
    return server


def attempt(server: postgres.Database, statement: str) -> None:
    with psycopg.connect(server.url_of("lyceum_app", PASSWORD), autocommit=True) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM accounts_user",
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', '', now())",
        "UPDATE django_session SET session_data = 'x'",
        "DELETE FROM django_session",
        "SELECT 1 FROM django_migrations",
        "SELECT nextval(pg_get_serial_sequence('accounts_user', 'id'))",
    ],
)
def test_it_reads_and_writes_rows(granted: postgres.Database, statement: str) -> None:
    attempt(granted, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE own (id int)",
        "DROP TABLE django_session",
        "ALTER TABLE accounts_user ADD COLUMN own int",
        "TRUNCATE django_session",
        "DELETE FROM django_migrations",
        "CREATE ROLE friend",
        "ALTER ROLE lyceum_app CREATEROLE",
        "CREATE SCHEMA own",
        "CREATE DATABASE own",
        "SET ROLE lyceum_admin",
        "COPY accounts_user TO PROGRAM 'cat'",
    ],
)
def test_it_does_nothing_else(granted: postgres.Database, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
        attempt(granted, statement)


def test_a_table_that_a_later_migration_makes_is_covered_at_once(granted: postgres.Database) -> None:
    with psycopg.connect(granted.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE later (id serial)")
    try:
        attempt(granted, "INSERT INTO later DEFAULT VALUES")
    finally:
        with psycopg.connect(granted.owner_url, autocommit=True) as owner:
            owner.execute("DROP TABLE later")


def test_nobody_else_connects(granted: postgres.Database) -> None:
    with psycopg.connect(granted.admin_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(granted.url_of("stranger", "x"))


def test_a_changed_password_counts_and_the_old_one_does_not(granted: postgres.Database) -> None:
    changed = "another-password-of-the-test"
    try:
        manage(granted.owner_url, "grant_application_role", LYCEUM_APPLICATION_PASSWORD=changed)
        psycopg.connect(granted.url_of("lyceum_app", changed)).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(granted.url_of("lyceum_app", PASSWORD))
    finally:
        manage(granted.owner_url, "grant_application_role", LYCEUM_APPLICATION_PASSWORD=PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ((), {}, "No password of 16 characters"),
        (("--role", "lyceum_admin"), {"LYCEUM_APPLICATION_PASSWORD": PASSWORD}, "must not be the owner"),
    ],
)
def test_what_makes_no_sense_is_refused(
    server: postgres.Database, arguments: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    done = manage(server.owner_url, "grant_application_role", *arguments, **env)
    assert done.returncode == 1
    assert said in done.stderr


def test_other_databases_have_no_roles(tmp_path: Path) -> None:
    done = manage(f"sqlite:///{tmp_path / 'd'}", "grant_application_role", LYCEUM_APPLICATION_PASSWORD=PASSWORD)
    assert done.returncode == 1
    assert "Only PostgreSQL has roles" in done.stderr
