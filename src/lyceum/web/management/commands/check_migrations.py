"""Refuses migrations that the running code cannot live with (migration_rules.py)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lyceum.web import migration_rules


class Command(BaseCommand):
    help = "Say which migrations the code of the release before could not live with; ends with 1 if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unapplied", action="store_true", help="Only those that the database has not seen yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        looked, found = migration_rules.of_project(only_unapplied=options["unapplied"])
        for one in found:
            self.stdout.write(str(one))
        if found:
            raise CommandError(
                f"{len(found)} of these the running code cannot live with. Split them over two releases, or say in "
                f'the migration why not: {migration_rules.NOTE} = "…".'
            )
        self.stdout.write(f"{looked} migrations, and the running code can live with each.")
