"""`./lyceum migrate ENV`: bring an environment's database up to date, from where it can be reached.

Run by the pipeline inside the VPC (infra/modules/migrate), or by an operator through the bastion. It looks first
whether the running code can live with what is to come; then it migrates as the owner of the tables, gives the servers'
own role its password, and makes the role as which operators read. Passwords come from Secrets Manager and go into the
child's environment: into no argument, no log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lyceum_ops import aws, manage
from lyceum_ops.console import step
from lyceum_ops.errors import CommandFailed, LyceumError, Refused, Usage

PREFIX = "LYCEUM_DATABASE_"
# TLS, without the authority's certificate: inside the VPC the address is the certificate's own name or nobody's.
SSLMODE = "require"
ROLE = "lyceum_app"


@dataclass(frozen=True)
class Database:
    """Where it answers, and which secrets open it. No secret itself."""

    address: str
    port: int
    name: str
    master_secret: str
    secret: str
    sslmode: str

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Database:
        """From the LYCEUM_DATABASE_… variables. Raises Usage for the first that is missing or makes no sense."""

        def given(name: str) -> str:
            value = env.get(PREFIX + name, "")
            if not value:
                raise Usage(f"{PREFIX}{name} is not set.", "docs/how-to/run-the-pipeline.md lists what migrate needs.")
            return value

        port = given("PORT")
        if not port.isdecimal():
            raise Usage(f"{PREFIX}PORT={port!r} is no port.")
        return cls(
            given("ADDRESS"), int(port), given("NAME"), given("MASTER_SECRET_ARN"), given("SECRET_ARN"),
            env.get(f"{PREFIX}SSLMODE", SSLMODE),
        )  # fmt: skip

    def url(self, user: str, password: str) -> str:
        options = urlencode({"sslmode": self.sslmode, "connect_timeout": "10"})
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@{self.address}:{self.port}/{quote(self.name, safe='')}?{options}"


def migrate(checkout: Path, session: Any, database: Database) -> None:
    """Check, migrate, grant. Raises Refused for a migration that the running code cannot live with."""
    secrets = session.client("secretsmanager")
    with step("fetch the passwords"):
        master = _json(_secret(secrets, database.master_secret))
        application = _secret(secrets, database.secret)
    owner = {
        "DATABASE_URL": database.url(master["username"], master["password"]),
        # Nothing is signed here.
        "SECRET_KEY": "migrations sign nothing, and settings.py wants one of fifty letters",
    }
    with step("look whether the running code can live with it"):
        said, code = manage.run(checkout, owner, "check_migrations", "--unapplied")
        if code and "Traceback" in said:
            raise CommandFailed(
                f"The database was not touched: {manage.last(said)}", "Is it there, and reached?", (said,)
            )
        if code:
            raise Refused(f"The database was not touched. {' '.join(said.split())}")
    with step("migrate") as line:
        said, code = manage.run(checkout, owner, "prepare")
        if code:
            raise CommandFailed(
                f"The migration failed: {manage.last(said)}", "What was migrated before it stays.", (said,)
            )
        line.note(manage.last(said))
    with step(f"give {ROLE} its password and its rights") as line:
        said, code = manage.run(
            checkout, {**owner, "LYCEUM_APPLICATION_PASSWORD": application}, "grant_application_role", "--role", ROLE
        )
        if code:
            raise CommandFailed(f"{ROLE} has not got its rights: {manage.last(said)}", "Run this again.", (said,))
        line.note(manage.last(said))
    with step("let operators read (./lyceum tunnel)") as line:
        said, code = manage.run(checkout, owner, "grant_reading", "--servers", ROLE)
        if code:
            raise CommandFailed(f"Nobody can be let in to read: {manage.last(said)}", "Run this again.", (said,))
        line.note(manage.last(said))


def _secret(secrets: Any, arn: str) -> str:
    with aws.asking("secretsmanager"):
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])


def _json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
        return {"username": str(found["username"]), "password": str(found["password"])}
    except (ValueError, KeyError, TypeError):
        # Without its text: it is a secret.
        raise LyceumError("The master secret is not as RDS writes it, with username and password.") from None
