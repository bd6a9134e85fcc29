"""A password is rotated under a running server: it says so, ends in order and works with the new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.lyceum.servers import Server, Servers

from lyceum_lab.rehearsal import postgres

OLD, NEW = "the-old-password-of-the-test", "the-new-password-of-the-test"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[postgres.Database]:
    made = postgres.start(tmp_path / "postgres", tmp_path / "postgres.log", dict(os.environ))
    try:
        yield made
    finally:
        made.process.send_signal(signal.SIGINT)
        made.process.wait(timeout=30)


@pytest.fixture
def prepared(database: postgres.Database, servers: Servers) -> postgres.Database:
    for command, env in (("prepare", {}), ("grant_application_role", {"LYCEUM_APPLICATION_PASSWORD": OLD})):
        done = servers.manage(command, DATABASE_URL=database.owner_url, SECRET_KEY="only-for-this-test-run", **env)
        assert done.returncode == 0, done.stderr
    return database


def rotate(database: postgres.Database) -> None:
    """The new password counts, and who is inside with the old one has to come in again."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(psycopg.sql.SQL("ALTER ROLE lyceum_app PASSWORD {}").format(NEW))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lyceum_app'")


def start(servers: Servers, database: postgres.Database, password: str, exits: str) -> Server:
    return servers.start(
        DATABASE_URL=database.url_of("lyceum_app", password),
        SECRET_KEY="only-for-this-test-run",
        LYCEUM_EXIT_ON_LOGIN_FAILURE=exits,
    )


def said(server: Server) -> list[str]:
    return [line["message"] for line in server.lines() if line["logger"] == "lyceum.web.login_failure"]


def ask_until(server: Server, seconds: float) -> bool:
    """Ask for a page until the server is gone, or for so many seconds. Whether it went."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.browser().ask("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        time.sleep(0.2)
    return server.process.poll() is not None


def test_a_rotated_password_ends_the_server_in_order(prepared: postgres.Database, servers: Servers) -> None:
    server, patient = start(servers, prepared, OLD, "1"), start(servers, prepared, OLD, "0")
    for one in (server, patient):
        assert one.browser().ask("GET", "/healthz").status == 200
    rotate(prepared)
    # It stays for its first 15 seconds, so that a wrong secret does not make it spin.
    assert server.browser().ask("GET", "/healthz").status == 503
    assert ask_until(server, 40)
    assert server.process.returncode == 0
    messages = said(server)
    assert len(messages) in {1, 2}
    assert messages[-1] == "The database refuses the password (28P01). The server ends, to be started anew."
    assert all(line["level"] == "ERROR" for line in server.lines() if line["logger"].endswith("login_failure"))

    for _ in range(5):
        assert patient.browser().ask("GET", "/healthz").status == 503
    assert patient.process.poll() is None
    assert said(patient) == ["The database refuses the password (28P01)."]
    for one in (server, patient):
        assert OLD not in one.log.read_text()

    again = start(servers, prepared, NEW, "1")
    assert again.browser().ask("GET", "/healthz").status == 200


def test_a_command_ends_itself_and_not_the_shell_that_started_it(servers: Servers) -> None:
    script = (
        "import django; django.setup()\n"
        "from lyceum.web import login_failure\n"
        "login_failure._started -= 60\n"
        "login_failure.noticed()\n"
        "print('still here')\n"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "lyceum.settings", "LYCEUM_EXIT_ON_LOGIN_FAILURE": "1"}
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1"; echo "the shell is, with $?"', sys.executable, script],
        env=servers._environment(settings), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == f"the shell is, with {128 + signal.SIGTERM}\n"


def test_a_database_that_is_away_is_no_login_failure(servers: Servers) -> None:
    server = servers.start(
        DATABASE_URL="postgresql://lyceum_app:x@127.0.0.1:1/lyceum",
        SECRET_KEY="only-for-this-test-run",
        LYCEUM_EXIT_ON_LOGIN_FAILURE="1",
    )
    assert server.browser().ask("GET", "/healthz").status == 503
    assert said(server) == []
