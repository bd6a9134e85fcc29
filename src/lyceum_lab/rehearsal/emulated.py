"""Starting the emulated AWS as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lyceum_lab import paths, platform
from lyceum_ops import processes


def start(
    logs: Path, env: Mapping[str, str], *, enforce: bool = False, trail: bool = False
) -> tuple[subprocess.Popen[bytes], str]:
    """Start an emulator on a free port of 127.0.0.1, its calls recorded in `logs`. Returns it and its address.

    With `enforce`, the account's IAM policies decide every call; with `trail`, its CloudTrail records them.
    """
    port, log = processes.free_port(), logs / "emulator.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(paths.PYTHON), "-m", "lyceum_lab.emulator", "--port", str(port),
             "--calls", str(logs / "calls.jsonl"), *(["--enforce-iam"] if enforce else []),
             *(["--record-trail"] if trail else [])],
            env=platform.environment(env), cwd=paths.CHECKOUT, stdin=subprocess.DEVNULL, stdout=sink,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=processes.die_with_parent(signal.SIGTERM),
        )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    platform.wait(f"{endpoint}/_lyceum/health", process, log=log)
    return process, endpoint
