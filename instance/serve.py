"""The web server on an app server: granian with one worker, set up by its Python interface.

Its command line allows no idle connection to live longer than 60 seconds, which is as long as the load balancer keeps
one. Whoever closes first has to be the load balancer: it answers 502 to a request that meets a closing server.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer

KEEP_ALIVE_SECONDS = 75
# Python seldom gives memory back; without a new worker now and then a group that scales on memory never shrinks.
WORKER_LIFETIME_SECONDS = 6 * 3600
WORKER_MAX_MIB = 320
DRAIN_SECONDS = 35
# As the platform writes its own log.
LOG = Path(__file__).resolve().parents[1] / "src" / "lyceum" / "web" / "granian_logging.json"


def server(settings: Mapping[str, str]) -> MPServer:
    keep_alive = float(settings.get("LYCEUM_KEEP_ALIVE_SECONDS") or KEEP_ALIVE_SECONDS)
    return MPServer(
        "lyceum.wsgi:application",
        address=settings.get("LYCEUM_ADDRESS", "0.0.0.0"),  # noqa: S104 - the load balancer comes from outside
        port=int(settings.get("LYCEUM_PORT", "8000")),
        interface=Interfaces.WSGI,
        websockets=False,
        workers=1,
        blocking_threads=4,
        # To granian, an idle connection is one whose next request's head is late.
        http1_settings=HTTP1Settings(header_read_timeout=round(keep_alive * 1000)),
        respawn_failed_workers=True,
        workers_lifetime=WORKER_LIFETIME_SECONDS,
        workers_max_rss=WORKER_MAX_MIB,
        workers_kill_timeout=DRAIN_SECONDS,
        log_dictconfig=_log(settings),
    )


def _log(settings: Mapping[str, str]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(LOG.read_text()) if settings.get("LOG_FORMAT") == "json" else None
    return found


if __name__ == "__main__":
    server(os.environ).serve()
