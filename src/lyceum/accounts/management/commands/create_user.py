"""Makes an account, or brings an existing one to the role, name and password given.

The password is read from LYCEUM_USER_PASSWORD, else from one line of standard input: never from an argument, which
every process on the machine can read.
"""

import getpass
import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lyceum.accounts.models import User
from lyceum.accounts.services import ensure_user


def _password() -> str:
    if given := os.environ.get("LYCEUM_USER_PASSWORD"):
        return given
    given = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise CommandError("No password: set LYCEUM_USER_PASSWORD or write it to standard input.")
    return given


class Command(BaseCommand):
    help = "Make or update an account; the password comes from LYCEUM_USER_PASSWORD or standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", choices=User.Role.values, default=User.Role.STUDENT.value)
        parser.add_argument("--display-name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user, created = ensure_user(
                email=options["email"],
                password=_password(),
                role=options["role"],
                display_name=options["display_name"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{'Made' if created else 'Updated'} {user.email} ({user.role}).")
