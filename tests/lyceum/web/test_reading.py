"""Who is let in to read: sees rows, changes none, sees nothing that signs in, and is out after an hour."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from tests.lyceum.web.test_application_role import PASSWORD, manage

from lyceum_lab.rehearsal import postgres

WORD = "a-reader's-own-password"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Database]:
    folder = tmp_path_factory.mktemp("postgres")
    database = postgres.start(folder / "data", folder / "log", dict(os.environ))
    try:
        # Twice: a migration step that is run again must change nothing.
        for command in ("prepare", "grant_application_role", "grant_reading", "grant_reading"):
            done = manage(database.owner_url, command, LYCEUM_APPLICATION_PASSWORD=PASSWORD)
            assert done.returncode == 0, done.stdout + done.stderr
        yield database
    finally:
        database.process.send_signal(signal.SIGINT)
        database.process.wait(timeout=30)


def let_in(server: postgres.Database, who: str) -> str:
    """The login that the servers' role makes for somebody."""
    with psycopg.connect(server.url_of("lyceum_app", PASSWORD), autocommit=True) as servers:
        verifier = servers.pgconn.encrypt_password(WORD.encode(), b"any", b"scram-sha-256").decode()
        found = servers.execute("SELECT lyceum_access.open_reader(%s, %s)", [who, verifier]).fetchone()
    assert found
    return str(found[0])


@pytest.fixture(scope="module")
def login(server: postgres.Database) -> str:
    return let_in(server, "alice_0001")


def attempt(server: postgres.Database, login: str, statement: str) -> None:
    with psycopg.connect(server.url_of(login, WORD), autocommit=True) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["SELECT count(*) FROM courses_course", "SELECT email, role FROM accounts_user", "SELECT 1 FROM django_migrations"],
)
def test_a_reader_reads(server: postgres.Database, login: str, statement: str) -> None:
    attempt(server, login, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM courses_course",
        "SET default_transaction_read_only = off; DELETE FROM courses_course",
        "SELECT password FROM accounts_user",
        "SELECT * FROM django_session",
        "SELECT * FROM cache",
        "SELECT lyceum_access.open_reader('mallory', 'x')",
        "SELECT nextval(pg_get_serial_sequence('accounts_user', 'id'))",
        "SET ROLE lyceum_app",
        "CREATE TABLE own (id int)",
    ],
)
def test_a_reader_does_nothing_else(server: postgres.Database, login: str, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
        attempt(server, login, statement)


def test_the_login_carries_a_name_ends_after_an_hour_and_is_told_in_the_log(
    server: postgres.Database, login: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert login == "lyceum_reader_alice_0001"
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        left = admin.execute("SELECT rolvaliduntil - now() FROM pg_roles WHERE rolname = %s", [login]).fetchone()
        assert left
        assert 3500 < left[0].total_seconds() <= 3600
        log = next(tmp_path_factory.getbasetemp().glob("postgres*/log"))
        assert f"{login} may read for an hour" in log.read_text()
        # An hour later: refused at the door, and swept away by whoever comes next.
        old = let_in(server, "late")
        admin.execute(f"ALTER ROLE {old} VALID UNTIL '2020-01-01'")
        with pytest.raises(psycopg.OperationalError):
            attempt(server, old, "SELECT 1")
        attempt(server, let_in(server, "next"), "SELECT 1")
        assert admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [old]).fetchone() is None


def test_who_leaves_is_out(server: postgres.Database) -> None:
    login = let_in(server, "bob")
    with psycopg.connect(server.url_of("lyceum_app", PASSWORD), autocommit=True) as servers:
        servers.execute("SELECT lyceum_access.close_reader(%s)", [login])
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            servers.execute("SELECT lyceum_access.close_reader('lyceum_admin')")
    with pytest.raises(psycopg.OperationalError):
        attempt(server, login, "SELECT 1")


@pytest.mark.parametrize("who", ["Alice", "a b", "x'; DROP TABLE t; --", "", "a" * 41])
def test_a_name_that_is_none_is_refused(server: postgres.Database, who: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        let_in(server, who)


def test_they_are_counted(server: postgres.Database) -> None:
    let = 0
    try:
        for let in range(21):
            let_in(server, f"crowd_{let}")
    except psycopg.errors.TooManyConnections:
        assert 10 < let < 21
    else:
        pytest.fail("twenty-one were let in")
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        for number in range(20):
            admin.execute(f"DROP ROLE IF EXISTS lyceum_reader_crowd_{number}")


def test_without_the_servers_role_nothing_is_made(server: postgres.Database) -> None:
    done = manage(server.owner_url, "grant_reading", "--servers", "nobody_here")
    assert done.returncode == 1
    assert "after grant_application_role" in done.stderr
