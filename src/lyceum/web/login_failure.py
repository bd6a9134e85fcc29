"""What a server does when the database refuses its password: it was rotated, and the secret that this process was
started with is the old one.

The process cannot mend that by itself, as it never sees the secret's store. It says so in the log and, where that is
asked for (LYCEUM_EXIT_ON_LOGIN_FAILURE), ends in order: requests under way are answered, and whatever started it reads
the secret again. Not within its first seconds: should the new secret be wrong too, restarts come at a pace.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time

import psycopg
from django.conf import settings

logger = logging.getLogger(__name__)

SQLSTATE = "28P01"
# Log lines and requests to end are no closer together, and neither comes sooner after the start.
SECONDS = 15.0

_lock = threading.Lock()
_started = time.monotonic()
_said = _asked = float("-inf")


def is_one(error: psycopg.OperationalError) -> bool:
    """Whether the server refused the password. An error of a connection that was never made carries no SQLSTATE, only
    the server's words, and these in the server's language: ours is English (lc_messages).
    """
    return error.sqlstate == SQLSTATE or "password authentication failed" in str(error)


def noticed() -> None:
    """Say it, and ask the server to end, each at most once in SECONDS."""
    global _said, _asked
    now = time.monotonic()
    ends = settings.EXIT_ON_LOGIN_FAILURE and now - _started >= SECONDS
    with _lock:
        ask = ends and now - _asked >= SECONDS
        say = ask or now - _said >= SECONDS
        _said, _asked = (now if say else _said), (now if ask else _asked)
    if say:
        logger.error(
            "The database refuses the password (28P01).%s", " The server ends, to be started anew." if ask else ""
        )
    if ask:
        os.kill(_server(), signal.SIGTERM)


def _server() -> int:
    """The process to end: granian, of which this is a worker, else this one. Never merely the parent, which may be
    somebody's shell.
    """
    parent = multiprocessing.parent_process()
    return parent.pid if parent is not None and parent.pid is not None else os.getpid()
