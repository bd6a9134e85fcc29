"""Everything the database needs before the platform can answer: tables, and the table the cache lives in.

Safe to run again, and to run on several servers: what is there already is left alone.
"""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Make or update the database: migrate, then the table of the cache."

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout)
        call_command("createcachetable", verbosity=verbosity, stdout=self.stdout)
