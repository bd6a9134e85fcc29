"""The tables of then brought to the release that is live, where one has migrated the database since: in the copy alone.

What a release does to the rows of everybody, its migrations do here to the rows of then.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg import Connection

from lyceum_ops import manage
from lyceum_ops.errors import CommandFailed

# Told the address of a copy.
Migrate = Callable[[str], None]


def missing(copy: Connection[Any], live: Connection[Any]) -> list[str]:
    """The migrations that the live database has and the copy has not; none where the copy has no tables at all."""
    had, has = _applied(copy), _applied(live)
    return sorted(has - had) if had else []


def _applied(connection: Connection[Any]) -> set[str]:
    if connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
        return set()
    found = connection.execute("SELECT app, name FROM public.django_migrations").fetchall()
    return {f"{app}.{name}" for app, name in found}


def migrating(checkout: Path) -> Migrate:
    """By a checkout's own migrations."""

    def migrate(url: str) -> None:
        with tempfile.TemporaryDirectory(prefix="lyceum-restore-") as folder:
            env = {"LYCEUM_VAR_DIR": folder, "SECRET_KEY": secrets.token_urlsafe(48), "DATABASE_URL": url}
            said, code = manage.run(checkout, env, "migrate", "--no-input")
        if code:
            raise CommandFailed(
                f"The copy could not be migrated: {manage.last(said)}", "Nothing live was changed.", errors=(said,)
            )

    return migrate
