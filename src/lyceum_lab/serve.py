"""`./lyceum serve`: the platform alone on its embedded default (SQLite, files under `var/`), persistent.

It needs no Terraform, no emulator and no account. The first start makes the database and loads the sample courses.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path

from lyceum_lab import paths, platform
from lyceum_ops import processes
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError

DEFAULT_PORT = 8000


def serve(port: int) -> None:
    """Serve until interrupted. Prints the URL, the seconds to the first page and the memory in use."""
    began = time.monotonic()
    processes.require_port(port)
    var = Path(os.environ.get("LYCEUM_VAR_DIR") or paths.CHECKOUT / "var").resolve()
    log = var / f"serve-{port}.log"
    try:
        var.mkdir(parents=True, exist_ok=True)
        log.write_text("")
    except OSError as error:
        raise LyceumError(
            f"{var} cannot be written: {error.strerror}.", "Name another folder in LYCEUM_VAR_DIR."
        ) from error
    env = {"LYCEUM_VAR_DIR": str(var)}
    # A shell that starts it in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # Written last, so that a first start that was cut short is done again.
    stamp = var / "sample-courses-loaded"
    with (var / "lock").open("w") as lock:
        # Two starts on one folder must not both make its database.
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh = not stamp.exists()
        _prepare(fresh, env, log)
        stamp.touch()
    server = platform.start(port, env=env, log=log)
    url = f"http://127.0.0.1:{port}/"
    try:
        platform.wait(url, server, log=log)
        out.print(f"Lyceum answers at [bold]{url}[/bold]  ({time.monotonic() - began:.1f} s to the first page, "
                  f"{processes.pss_mib(server.pid):.0f} MiB PSS)")  # fmt: skip
        if fresh:
            out.print("Make yourself an account with an instructor's or an administrator's rights:")
            out.print("  .venv/bin/python manage.py create_user --email you@example.org --role administrator")
        out.print(f"Data is kept in {var}; log: {log}. Ctrl-C ends it.")
        code = server.wait()
    except KeyboardInterrupt:
        out.print("ending")
        return
    finally:
        platform.stop(server)
    raise LyceumError(f"The server ended by itself with code {code}.", f"Log: {log}")


def _prepare(fresh: bool, env: dict[str, str], log: Path) -> None:
    commands = platform.Commands(platform.environment(env), log)
    if fresh:
        with step("make the database and load the sample courses"):
            commands("prepare")
            commands.load_sample_courses()
        return
    # An older database is brought up to date; asking costs a fraction of what migrating does.
    try:
        commands("migrate", "--check")
    except LyceumError:
        with step("bring the database up to date"):
            commands("prepare")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
