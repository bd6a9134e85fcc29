"""PostgreSQL whose password may be changed while the platform runs.

When a login is refused, the password is fetched anew from Secrets Manager and the login tried once more: a rotation
costs no restart and no request. Connections that are open stay open; PostgreSQL asks for a password at a login only.
"""

import logging
import threading
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import OperationalError

logger = logging.getLogger("lyceum.postgresql")

# What PostgreSQL says to a wrong password (SQLSTATE 28P01, which libpq does not hand on before a login).
REFUSED = "password authentication failed"
# While a password stays refused, every request tries to log in: Secrets Manager need not hear of each.
PAUSE_SECONDS = 5.0


class Passwords:
    """The password that Secrets Manager keeps now, asked for at most every PAUSE_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = -PAUSE_SECONDS
        self._last: str | None = None

    def fetch(self, secret: str) -> str | None:
        """The secret's text, or None when it cannot be had; the log then says why."""
        with self._lock:
            if time.monotonic() - self._asked >= PAUSE_SECONDS:
                self._last = self._ask(secret)
                self._asked = time.monotonic()
            return self._last

    @staticmethod
    def _ask(secret: str) -> str | None:
        # Within what a health check waits for.
        patience = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
        try:
            client = boto3.client("secretsmanager", region_name=secret.split(":")[3], config=patience)
            return str(client.get_secret_value(SecretId=secret)["SecretString"])
        except (BotoCoreError, ClientError, KeyError, IndexError) as error:
            logger.error("the password of the database was refused, and no other could be fetched: %s", error)
            return None


passwords = Passwords()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a second try under a new password."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except OperationalError as refusal:
            if REFUSED not in str(refusal):
                raise
            password = passwords.fetch(settings.DATABASE_PASSWORD_SECRET)
            if password is None or password == conn_params.get("password"):
                raise
        connection = super().get_new_connection({**conn_params, "password": password})
        # One dictionary for all threads: the next login starts with it.
        if self.settings_dict["PASSWORD"] != password:
            self.settings_dict["PASSWORD"] = password
            logger.warning("the password of the database has changed; the new one is in use")
        return connection
