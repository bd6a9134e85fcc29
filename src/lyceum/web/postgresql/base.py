"""Django's database backend for PostgreSQL, which notices when the server refuses the password.

Every login of the platform passes here, whatever asks for it: a page, the cache, the check of health.
"""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError

from lyceum.web import login_failure


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except OperationalError as error:
            if login_failure.is_one(error):
                login_failure.noticed()
            raise
