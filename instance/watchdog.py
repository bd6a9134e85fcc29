"""Tells systemd that the platform answers: a small process beside the server's, which ends with it.

Any answer counts, 503 as well: without its database the platform is unhealthy, the load balancer knows, and starting
it anew would mend nothing. What does not answer at all is hung: then systemd hears nothing, and starts it anew.
"""

import http.client
import os
import socket
import sys
import time
from collections.abc import Mapping

PATIENCE = 10  # seconds for one answer
FIRST_PAUSE = 0.2  # until it has answered once: a server that boots is waited for


def tell(address: str, message: str) -> None:
    """Send systemd a message at its notify socket; `@` is how an abstract one is written."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.send(message.encode())


def ask(port: int) -> int | None:
    """The status that /healthz answers, or None when nothing did."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def run(settings: Mapping[str, str]) -> None:
    """Ask and tell until systemd ends this process together with the server."""
    address, port = settings["NOTIFY_SOCKET"], int(settings.get("LYCEUM_PORT", "8000"))
    pause, ready = int(settings.get("WATCHDOG_USEC") or 45_000_000) / 1e6 / 4, False
    parent = os.getppid()
    while os.getppid() == parent:
        status = ask(port)
        if status is not None:
            ready, first = True, not ready
            said = "healthy" if status == 200 else f"unhealthy: /healthz answers {status}"
            tell(address, f"{'READY=1' if first else 'WATCHDOG=1'}\nSTATUS={said}")
        time.sleep(pause if ready else FIRST_PAUSE)
    sys.exit(0)
