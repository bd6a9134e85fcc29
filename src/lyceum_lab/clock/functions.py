"""A deployed function, run as Lambda would: the package that was uploaded, its handler, its settings and its time-out,
with the credentials of its role and nothing else; what it prints goes to its log group, written as that role.

It runs on this Python and this processor, in a process of its own, and the emulator stands for all of AWS.
"""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from lyceum_lab.rehearsal.infrastructure import Session, server_environment

# What Lambda does around a handler: an event, and a context that knows how long is left.
RUN = """
import importlib, sys, time
module, _, entry = sys.argv[1].rpartition(".")
ends = time.monotonic() + float(sys.argv[2])
class Context:
    def get_remaining_time_in_millis(self):
        return int((ends - time.monotonic()) * 1000)
getattr(importlib.import_module(module), entry)({}, Context())
"""


@dataclass(frozen=True)
class Ran:
    """One run: what it printed, and how it failed, "" when it did not."""

    function: str
    printed: str
    failed: str


def run(endpoint: str, told: Mapping[str, Any], settings: Mapping[str, str] | None = None) -> Ran:
    """Run what the emulator tells of an invocation; `settings` stand before the function's own."""
    role = Session.as_role(endpoint, str(told["role"]))
    with tempfile.TemporaryDirectory(prefix="lyceum-function-") as folder:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(told["package"]))) as package:
            package.extractall(folder)
        env = {
            **server_environment(endpoint, str(told["role"])), "PATH": os.defpath, "HOME": folder, "PYTHONPATH": folder,
            "AWS_LAMBDA_FUNCTION_NAME": told["name"], **told["settings"], **(settings or {}),
        }  # fmt: skip
        argv = [sys.executable, "-c", RUN, str(told["handler"]), str(told["seconds"])]
        try:
            done = subprocess.run(
                argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=float(told["seconds"])
            )
            failed = done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""
            printed = done.stdout
        except subprocess.TimeoutExpired as error:
            printed = (error.stdout or b"").decode(errors="replace")
            failed = f"Task timed out after {told['seconds']} seconds"
    _log(role, str(told["group"]), [*printed.splitlines(), *failed.splitlines()])
    return Ran(str(told["name"]), printed, failed)


def _log(role: Session, group: str, lines: list[str]) -> None:
    logs, now = role.client("logs"), datetime.now(UTC)
    stream = f"{now:%Y/%m/%d}/[$LATEST]{uuid4().hex}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    if events := [{"timestamp": int(now.timestamp() * 1000), "message": line} for line in lines if line]:
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
