"""Makes what people look at the database as: a role that reads, and a door that lets one person in as it for an hour.

Run by the owner of the tables after each migration. `lyceum_reader` itself cannot log in. Whoever works as the servers'
role may call `lyceum_access.open_reader`: it makes a login of that person's name that reads as lyceum_reader, cannot
write, ends after an hour, and is told in the server's log. Nothing is opened by it that the servers could not read
already; what signs in or stands for a password is kept from readers.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection
from psycopg import sql

ROLE = "lyceum_reader"
# Whoever reads a session's key is that person; the cache counts sign-ins by address and account.
HIDDEN_TABLES = ("django_session", "cache")
# Verifiers of passwords: of a table with one, everything else is read.
HIDDEN_COLUMNS = {"password"}

# The verifier comes instead of the password, which leaves the operator's machine in no form. `RAISE LOG` is written
# whatever the server's level of logging is.
OPEN = """
CREATE OR REPLACE FUNCTION lyceum_access.open_reader(who text, verifier text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $open$
DECLARE
    login text := 'lyceum_reader_' || who;
    old name;
BEGIN
    IF who !~ '^[a-z0-9_]{1,40}$' OR verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=:]+$' THEN
        RAISE EXCEPTION 'this is no name or no verifier' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR old IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'lyceum_reader_') AND rolvaliduntil < now() LOOP
        EXECUTE format('DROP ROLE %I', old);
    END LOOP;
    IF (SELECT count(*) FROM pg_roles WHERE starts_with(rolname, 'lyceum_reader_')) >= 20 THEN
        RAISE EXCEPTION 'twenty readers are in already' USING ERRCODE = 'too_many_connections';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN INHERIT CONNECTION LIMIT 4 PASSWORD %L VALID UNTIL %L IN ROLE lyceum_reader',
                   login, verifier, now() + interval '1 hour');
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = ''60s''', login);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''60s''', login);
    RAISE LOG 'lyceum: % may read for an hour', login;
    RETURN login;
END $open$
"""
CLOSE = """
CREATE OR REPLACE FUNCTION lyceum_access.close_reader(login text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $close$
BEGIN
    IF NOT starts_with(login, 'lyceum_reader_') THEN
        RAISE EXCEPTION 'this is no reader' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DROP ROLE IF EXISTS %I', login);
    RAISE LOG 'lyceum: % may not read any more', login;
END $close$
"""


class Command(BaseCommand):
    help = "Make or update the role that reads, and what lets a person in as it for an hour (PostgreSQL)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--servers", default="lyceum_app", help="The servers' role, which may let readers in.")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles: DATABASE_URL names another database.")
        try:
            with connection.cursor() as cursor:
                for statement in self._statements(str(options["servers"])):
                    cursor.execute(statement)
        except ProgrammingError as error:
            raise CommandError(
                f"The role {ROLE} was not brought up to date: {error}".strip()
                + " Run this as the owner of the tables, after grant_application_role."
            ) from error
        self.stdout.write(f"{ROLE} may read, for an hour at a time.")

    def _statements(self, servers: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database(), EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
            database, exists = cursor.fetchone()
            cursor.execute(
                "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
                " WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name"
            )
            tables = dict(cursor.fetchall())
        texts = [
            *([] if exists else ["CREATE ROLE {role} NOLOGIN"]),
            "GRANT CONNECT ON DATABASE {database} TO {role}",
            "GRANT USAGE ON SCHEMA public TO {role}",
            # A table whose sight was taken back is taken back.
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
            "CREATE SCHEMA IF NOT EXISTS lyceum_access",
            OPEN,
            CLOSE,
            "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lyceum_access FROM PUBLIC",
            "GRANT USAGE ON SCHEMA lyceum_access TO {servers}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA lyceum_access TO {servers}",
        ]
        names = {
            "role": sql.Identifier(ROLE), "database": sql.Identifier(database), "servers": sql.Identifier(servers),
        }  # fmt: skip
        # The functions' bodies are written as they stand: nothing of them is a placeholder.
        made = [sql.SQL(t) if t in (OPEN, CLOSE) else sql.SQL(t).format(**names) for t in texts]
        return [*made, *(_reading(table, columns) for table, columns in tables.items() if table not in HIDDEN_TABLES)]


def _reading(table: str, columns: list[str]) -> Any:
    """The right to read a table, without the columns that are hidden."""
    shown = [column for column in columns if column not in HIDDEN_COLUMNS]
    of = sql.SQL("") if shown == columns else sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, shown)))
    return sql.SQL("GRANT SELECT {} ON {} TO {}").format(of, sql.Identifier(table), sql.Identifier(ROLE))
