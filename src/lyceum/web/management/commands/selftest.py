"""Tells, before a server takes traffic, whether it can: one line a check, exit code 1 when any failed.

More than /readyz asks: it also looks at settings and migrations, and writes to the shared files. It changes nothing
that stays.

With --release it fails only for what is the release's own fault: instance/install.sh asks so before the platform is
started, and a server must boot while a store is away that comes back by itself.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lyceum.shared.storage import get_storage
from lyceum.web import readiness


class Unfit(Exception):
    """A check failed, in words for whoever reads the server's console."""


def _settings() -> None:
    wrong = [error.msg for error in checks.run_checks() if error.is_serious()]
    if settings.DEBUG:
        wrong.append("LYCEUM_DEBUG is on: tracebacks are shown to everyone.")
    if len(settings.SECRET_KEY) < 32:
        wrong.append("SECRET_KEY has fewer than 32 characters.")
    if "*" in settings.ALLOWED_HOSTS:
        wrong.append("ALLOWED_HOSTS admits every name.")
    if wrong:
        raise Unfit(" ".join(wrong))


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        more = f" and {len(plan) - 3} more" if len(plan) > 3 else ""
        raise Unfit(f"{len(plan)} migrations are not applied ({names}{more}): run `manage.py prepare`.")
    cache.get("selftest")  # its table is made by `prepare`


def _shared() -> None:
    storage = get_storage()
    storage.discard(storage.receive([b"selftest"]))


CHECKS: dict[str, Callable[[], None]] = {
    "settings": _settings,
    "database": readiness.database,
    "migrations": _migrations,
    "progress": readiness.progress,
    "content": readiness.content,
    "shared": _shared,
}


class Command(BaseCommand):
    help = "Check settings, database, migrations, progress store, content store and shared files."
    # The settings are a check of their own, so that a fault in them does not hide the others.
    requires_system_checks: Any = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--release", action="store_true", help="fail only for what is this release's own fault")

    def handle(self, *args: Any, release: bool = False, **options: Any) -> None:
        failed = []
        for name, check in CHECKS.items():
            try:
                check()
            except Exception as error:
                if release and not isinstance(error, Unfit):
                    self.stdout.write(f"away {name}: {_reason(error)}")
                    continue
                failed.append(name)
                self.stderr.write(f"FAILED {name}: {_reason(error)}")
            else:
                self.stdout.write(f"ok {name}")
        if failed:
            raise CommandError(f"This server is not fit: {', '.join(failed)}.")


def _reason(error: BaseException) -> str:
    """One line. An error that was made of another one is told by that."""
    if isinstance(error, Unfit):
        return str(error)
    cause = error.__cause__ or error
    words = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {words}"[:300]
