"""Makes the database role as which the servers work, or brings it to the password and the rights that it should have.

Run by the owner of the tables after each migration. The role reads and writes rows and does nothing else: it makes,
alters and drops no table, and it does not touch the record of migrations.
"""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection
from psycopg import sql

# The servers' worst case: two of them during a release, four threads each, and as many while the old ones drain.
CONNECTIONS = 40
SETTINGS = {
    "statement_timeout": "30s",  # beyond the load balancer's patience nobody waits for the answer
    "idle_in_transaction_session_timeout": "60s",  # a hung thread must not hold its locks
}


def _password() -> str:
    given = os.environ.get("LYCEUM_APPLICATION_PASSWORD") or (
        "" if sys.stdin.isatty() else sys.stdin.readline().strip()
    )
    if len(given) < 16:
        raise CommandError(
            "No password of 16 characters or more: set LYCEUM_APPLICATION_PASSWORD or write it to standard input."
        )
    return given


class Command(BaseCommand):
    help = "Make or update the restricted database role of the servers (PostgreSQL); password as for create_user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", default="lyceum_app")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles: DATABASE_URL names another database.")
        role, password = str(options["role"]), _password()
        try:
            for statement in self._statements(role, password):
                with connection.cursor() as cursor:
                    cursor.execute(statement)
        except ProgrammingError as error:
            raise CommandError(
                f"The role {role} was not brought up to date: {error}".strip() + " Run this as the owner of the tables."
            ) from error
        self.stdout.write(f"{role} may read and write rows, and nothing else.")

    def _statements(self, role: str, password: str) -> list[Any]:
        connection.ensure_connection()
        server = connection.connection
        # A verifier instead of the password: a slow statement is logged as it was sent.
        verifier = server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user, current_database(), EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role]
            )
            owner, database, exists = cursor.fetchone()
        if owner == role:
            raise CommandError(f"{role} is who asks: the servers' role must not be the owner of the tables.")
        names = {"role": sql.Identifier(role), "database": sql.Identifier(database), "owner": sql.Identifier(owner)}
        texts = [
            ("ALTER" if exists else "CREATE")
            + " ROLE {role} LOGIN NOINHERIT PASSWORD {verifier} CONNECTION LIMIT {connections}",
            *[f"ALTER ROLE {{role}} SET {name} = '{value}'" for name, value in SETTINGS.items()],
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {database} TO {role}",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
            # What the next migration makes is covered from the moment it exists, before this runs again.
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public "
            "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ]
        return [
            sql.SQL(text).format(**names, verifier=sql.Literal(verifier), connections=sql.Literal(CONNECTIONS))
            for text in texts
        ]
