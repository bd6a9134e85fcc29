"""The emulator's process: one port on 127.0.0.1, moto behind the gateway, a clean end on SIGTERM."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

# Threads wait for the one lock around moto; enough of them that a page of our own never queues behind Terraform's 40.
THREADS = 64
# An S3 upload in one request may have 5 GB on AWS; what a laptop's memory bears is less.
LARGEST_BODY = 2 * 1024**3

SETTINGS = {
    # Only the CORS rules of a bucket may let a browser through, as on AWS.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    # AWS's own managed policies exist in every account, and roles attach them.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ACM_VALIDATION_WAIT": "1",
}


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; exit 1 with one line when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m lyceum_lab.emulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--calls", type=Path, help="file to which every call is appended as a line of JSON")
    parser.add_argument("--enforce-iam", action="store_true", help="decide every call by the account's IAM policies")
    parser.add_argument("--record-trail", action="store_true", help="let the account's CloudTrail record every call")
    arguments = parser.parse_args()
    try:
        server = create(arguments.port, arguments.calls, enforce=arguments.enforce_iam, trail=arguments.record_trail)
    except OSError as error:
        what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        print(f"emulator: port {arguments.port} {what}", file=sys.stderr)
        sys.exit(1)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    server.run()


def create(port: int, calls: Path | None = None, *, enforce: bool = False, trail: bool = False) -> Any:
    """A server bound to the port, ready to `run()`. Raises OSError when the port cannot be bound."""
    # Moto reads its settings when it is imported.
    os.environ.update({**SETTINGS, "MOTO_PORT": str(port)})
    import waitress
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from lyceum_lab.emulator import patches
    from lyceum_lab.emulator.gateway import Gateway
    from lyceum_lab.emulator.permissions import Guard
    from lyceum_lab.emulator.record import Recorder
    from lyceum_lab.emulator.trail import Recording

    patches.apply(enforce=enforce)
    moto = DomainDispatcherApplication(create_backend_app)
    return waitress.create_server(
        Gateway(moto, Recorder(calls), Guard() if enforce else None, Recording() if trail else None),
        host="127.0.0.1",
        port=port,
        threads=THREADS,
        ident=None,
        connection_limit=500,
        channel_timeout=300,
        max_request_body_size=LARGEST_BODY,
    )


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Nothing here outlives the process and the record is written line by line: waiting for idle threads helps nobody.
    os._exit(0)
