"""The live database of an environment on AWS: who may go to it, and the ways through the bastion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from lyceum_ops import aws, operate
from lyceum_ops.errors import Refused
from lyceum_ops.operate import Asked, Here
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.forward import Way


class Live:
    """The database, and a way to it or beside it for as long as a block lasts.

    An open way ends for idleness while a copy is made, and RDS changes the owner's password every seven days: whoever
    waits in between asks for both anew.
    """

    def __init__(self, session: Any, environment: str, caller: aws.Caller) -> None:
        self.session, self.environment = session, environment
        self.account, self.partition = caller.account, caller.partition
        self.database = place.find_database(session, f"lyceum-{environment}-database")
        self._bastion = place.find_bastion(session, environment)

    @contextmanager
    def way(self) -> Iterator[int]:
        """The port of this machine that leads to it."""
        with forward.opened(self.session, Way.to_database(self._bastion, self.environment)) as opened:
            yield opened.port

    def owner(self, port: int) -> login.Login:
        """The owner of its tables, who comes in by that port."""
        return login.owner(self.session, self.database, port)

    @contextmanager
    def connect(self) -> Iterator[Connection[Any]]:
        """As the owner of its tables."""
        with self.way() as port, self.owner(port).connect() as connection:
            yield connection

    @contextmanager
    def reach(self, host: str) -> Iterator[int]:
        """Another host in its network."""
        with forward.opened(self.session, Way.to_host(self._bastion, host, 5432)) as opened:
            yield opened.port


def find(here: Here, environment: str, *, asked: Asked) -> Live:
    """Of an environment, for whoever asks. Raises LyceumError for who may not, and for what is not there."""
    operate.require_environment(here, environment)
    forward.require_plugin()
    session = aws.session(operate.setting("region", asked) or None)
    caller = aws.identify(session)
    operate.require_account(here, f"platform-{environment}", asked, caller)
    if caller.is_deployer:
        raise Refused("The deployer may not read the database.", "Use an administrator's credentials.")
    return Live(session, environment, caller)
