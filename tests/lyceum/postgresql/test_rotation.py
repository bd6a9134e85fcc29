"""A password that changes while the platform runs: the next login fetches the new one, and tells when it cannot."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connections
from django.db.utils import OperationalError
from psycopg import sql
from tests.lyceum_lab.emulator.conftest import Emulator, start_emulator

from lyceum.postgresql import base
from lyceum_lab.rehearsal import postgres

__all__ = ["start_emulator"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Database]:
    folder = tmp_path_factory.mktemp("postgres")
    found = postgres.start(folder / "data", folder / "log", dict(os.environ))
    yield found
    found.process.send_signal(signal.SIGINT)
    found.process.wait(timeout=30)


class Rotating:
    """A role, the secret of its password, and the connections of two threads of the platform."""

    def __init__(self, server: postgres.Database, emulator: Emulator) -> None:
        self.server, self.kept = server, emulator.client("secretsmanager")
        self.secret = self.kept.create_secret(Name=f"of-{os.urandom(4).hex()}", SecretString="first-password")["ARN"]
        self.settings = deepcopy(connections.settings["default"]) | {
            "ENGINE": "lyceum.postgresql", "NAME": postgres.NAME, "USER": "app", "PASSWORD": "first-password",
            "HOST": "127.0.0.1", "PORT": str(server.port), "OPTIONS": {}, "CONN_HEALTH_CHECKS": True,
        }  # fmt: skip
        self.set_password("first-password")

    def set_password(self, password: str) -> None:
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
            exists = connection.execute("SELECT FROM pg_roles WHERE rolname = 'app'").fetchone() is not None
            verb = sql.SQL("ALTER" if exists else "CREATE")
            connection.execute(sql.SQL("{} ROLE app LOGIN PASSWORD {}").format(verb, sql.Literal(password)))

    def keep(self, password: str) -> None:
        self.kept.put_secret_value(SecretId=self.secret, SecretString=password)

    def log_in(self) -> base.DatabaseWrapper:
        wrapper = base.DatabaseWrapper(self.settings, "rotating")
        wrapper.ensure_connection()
        wrapper.close()
        return wrapper


@pytest.fixture
def rotating(
    server: postgres.Database, start_emulator: Callable[[], Emulator], emulator: Emulator, settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Rotating:  # fmt: skip
    found = Rotating(server, emulator)
    settings.DATABASE_PASSWORD_SECRET = found.secret
    for name, value in (("AWS_ENDPOINT_URL", emulator.endpoint), ("AWS_ACCESS_KEY_ID", "AKIATEST"),
                        ("AWS_SECRET_ACCESS_KEY", "anything")):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(base, "passwords", base.Passwords())
    return found


@pytest.fixture(scope="module")
def emulator(start_emulator: Callable[[], Emulator]) -> Emulator:
    return start_emulator()


pytestmark = pytest.mark.django_db(databases=[])


def test_a_changed_password_is_fetched_at_the_next_login_and_kept(rotating: Rotating) -> None:
    rotating.log_in()
    rotating.keep("second-password")
    rotating.set_password("second-password")
    rotating.log_in()
    assert rotating.settings["PASSWORD"] == "second-password"
    # Another thread's connection does not have to be refused first.
    rotating.kept.delete_secret(SecretId=rotating.secret, ForceDeleteWithoutRecovery=True)
    rotating.log_in()


def test_before_the_secret_has_it_a_login_is_refused_and_works_soon_after(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotating.set_password("second-password")
    with pytest.raises(OperationalError, match="password authentication failed"):
        rotating.log_in()
    rotating.keep("second-password")
    monkeypatch.setattr(base, "PAUSE_SECONDS", 0)
    rotating.log_in()


def test_refused_again_and_again_it_asks_once(rotating: Rotating, emulator: Emulator) -> None:
    rotating.set_password("second-password")

    def asked() -> int:
        return sum("GetSecretValue" in line for line in Path(emulator.calls).read_text().splitlines())

    before = asked()
    for _ in range(4):
        with pytest.raises(OperationalError, match="password authentication failed"):
            rotating.log_in()
    assert asked() == before + 1


def test_a_secret_that_cannot_be_had_is_said_without_a_password(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating.set_password("second-password")
    rotating.kept.delete_secret(SecretId=rotating.secret, ForceDeleteWithoutRecovery=True)
    with pytest.raises(OperationalError, match="password authentication failed"):
        rotating.log_in()
    assert "no other could be fetched" in caplog.text
    assert "password" not in caplog.text.replace("the password of the database was refused", "")


def test_what_is_no_refusal_of_the_password_is_not_asked_about(rotating: Rotating) -> None:
    settings: dict[str, Any] = {**rotating.settings, "NAME": "no-such-database"}
    with pytest.raises(OperationalError, match="does not exist"):
        base.DatabaseWrapper(settings, "rotating").ensure_connection()
