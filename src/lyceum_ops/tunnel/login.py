"""As whom an operator works: a login of their own that reads for an hour, or the owner with what RDS keeps for it.

The reading login is made through the forward by the servers' role, whose secret the operator may read
(lyceum/web/management/commands/grant_reading.py); only a verifier of its password is sent. The owner's password is
RDS's own, and RDS changes it every seven days.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.errors import CommandFailed, LyceumError
from lyceum_ops.tunnel.place import Database

SERVERS = "lyceum_app"


@dataclass(frozen=True)
class Login:
    """Who logs in through a forward; `password` is shown by nothing."""

    user: str
    password: str
    port: int
    name: str

    def __repr__(self) -> str:
        return f"Login({self.user})"

    def connect(self, seconds: int = 10) -> Any:
        """A connection to the database. Raises CommandFailed with the server's own word, which holds no password."""
        import psycopg

        try:
            return psycopg.connect(
                host="127.0.0.1", port=self.port, dbname=self.name, user=self.user, password=self.password,
                sslmode="require", connect_timeout=seconds, autocommit=True,
            )  # fmt: skip
        except psycopg.OperationalError as error:
            raise CommandFailed(
                f"{self.user} was not let into the database: {' '.join(str(error).split())[:300]}",
                "Was its secret changed a moment ago? See docs/runbook/reach-the-database.md.",
            ) from error


@contextmanager
def reading(session: Any, environment: str, database: Database, port: int, who: str) -> Iterator[Login]:
    """A login that reads, for the block's time and an hour at most; `who` is a person's name or ARN, and part of it."""
    servers = Login(SERVERS, _secret(session, f"lyceum-{environment}-database"), port, database.name)
    with servers.connect() as door:
        password = secrets.token_urlsafe(24)
        name = f"{person(who)}_{secrets.token_hex(2)}"
        verifier = door.pgconn.encrypt_password(password.encode(), b"", b"scram-sha-256").decode()
        try:
            user = door.execute("SELECT lyceum_access.open_reader(%s, %s)", [name, verifier]).fetchone()[0]
        except Exception as error:
            raise _closed(error) from error
        try:
            yield Login(user, password, port, database.name)
        finally:
            _leave(door, servers, user)


def owner(session: Any, database: Database, port: int) -> Login:
    """The owner of the tables, who may do everything. Raises LyceumError when RDS keeps no password for it."""
    if not database.owner_secret:
        raise LyceumError(f"RDS keeps no password of {database.identifier}'s owner.", "Log in without --write.")
    try:
        found = json.loads(_secret(session, database.owner_secret))
        return Login(database.owner, str(found["password"]), port, database.name)
    except (ValueError, KeyError, TypeError):
        raise LyceumError("The owner's secret is not as RDS writes it, with a password.") from None


def person(who: str) -> str:
    """What of a caller's ARN is a name, in letters that a role's name may have."""
    found = re.sub(r"[^a-z0-9]+", "_", who.rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()).strip("_")
    return found[:30] or "somebody"


def _secret(session: Any, name: str) -> str:
    with aws.asking("secretsmanager"):
        return str(session.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def _closed(error: Exception) -> LyceumError:
    import psycopg

    if isinstance(error, psycopg.errors.TooManyConnections):
        return LyceumError(
            "Twenty people read in the database already.", "An hour after the oldest came there is room."
        )
    absent = (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege)
    if isinstance(error, absent):
        return LyceumError(
            "This database knows no readers yet.",
            "They come with the next ./lyceum migrate; until then an administrator has --write.",
        )
    return CommandFailed(f"No login was made: {' '.join(str(error).split())[:300]}")


def _leave(door: Any, servers: Login, user: str) -> None:
    """Take the login back. Where the way is gone already, its hour ends it."""
    import psycopg

    try:
        door.execute("SELECT lyceum_access.close_reader(%s)", [user])
    except psycopg.Error:
        # The first connection may have been cut by the server for having been idle; the forward may be gone.
        try:
            with servers.connect(seconds=3) as again:
                again.execute("SELECT lyceum_access.close_reader(%s)", [user])
        except (psycopg.Error, LyceumError):
            return
