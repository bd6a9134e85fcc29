"""Everything the database needs before the platform can answer: tables, and the table the cache lives in.

Safe to run again, and to run on several servers: what is there already is left alone. Where learners are at work it
never makes them wait long: a lock that is not had within seconds is given back and asked for again, a few times.
"""

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

# Who waits for a lock holds up everybody behind it: five seconds are felt, and are no outage.
LOCK_SECONDS = 5
STATEMENT_SECONDS = 15 * 60
ATTEMPTS, PAUSE_SECONDS = 5, 3
NOT_HAD = "55P03"  # PostgreSQL: lock_not_available


class Command(BaseCommand):
    help = "Make or update the database: migrate, then the table of the cache."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lock-seconds", type=int, default=LOCK_SECONDS, help="How long to wait for a lock.")

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        self._migrate(verbosity, options["lock_seconds"])
        call_command("createcachetable", verbosity=verbosity, stdout=self.stdout)

    def _migrate(self, verbosity: int, lock_seconds: int) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)",
                        [f"{lock_seconds}s", f"{STATEMENT_SECONDS}s"],
                    )
            try:
                call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") != NOT_HAD:
                    raise
                if attempt == ATTEMPTS:
                    raise CommandError(
                        f"A table was in use {ATTEMPTS} times for longer than {lock_seconds} s; what was migrated "
                        "before it stays. Run this again when less is going on."
                    ) from error
                self.stdout.write(f"A table is in use; trying again in {PAUSE_SECONDS} s ({attempt} of {ATTEMPTS}).")
                self.stdout.flush()  # whoever waits for it sees that it waits
                connection.close()
                time.sleep(PAUSE_SECONDS)
            else:
                return
