"""The tunnel as a person meets it: open, told how to use, closed again; or one command run inside it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_ops import aws, operate
from lyceum_ops.console import out, step
from lyceum_ops.errors import MissingTool, Refused
from lyceum_ops.operate import Asked, Here
from lyceum_ops.processes import require_port
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.forward import Forward, Way
from lyceum_ops.tunnel.login import Login

PORT = 15432


@dataclass(frozen=True)
class Wanted:
    """What is asked for: an environment, as its owner or to read, on which port; and a command, or a person works."""

    environment: str
    write: bool = False
    port: int = PORT
    command: tuple[str, ...] = ()


def run(here: Here, wanted: Wanted, *, asked: Asked) -> int:
    """Open the way, then wait for Ctrl-C or run the command. Returns the command's exit code, 0 for a person's end."""
    operate.require_environment(here, wanted.environment)
    if wanted.command and not shutil.which(wanted.command[0]):
        raise MissingTool(f"{wanted.command[0]} is not here.", "Install it, or name another command after --.")
    forward.require_plugin()
    require_port(wanted.port)
    session = aws.session(operate.setting("region", asked) or None)
    caller = aws.identify(session)
    operate.require_account(here, f"platform-{wanted.environment}", asked, caller)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # however it is ended, it leaves nothing behind
    with ExitStack() as ways:
        opened, who = ways.enter_context(_opened(session, wanted, caller.arn))
        env = ways.enter_context(_environment(who))
        if wanted.command:
            # What the operator's shell says of another database does not count here: PGPASSWORD beats the file.
            mine = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
            return _inside(wanted.command, {**mine, **env})
        _tell(wanted, who, env)
        try:
            while True:
                time.sleep(0.5)
                opened.require_alive()
        except KeyboardInterrupt:
            out.print("\nThe tunnel is closed.")
    return 0


def _inside(command: Sequence[str], env: dict[str, str]) -> int:
    """Run a command at this terminal. Ctrl-C is the command's: psql takes it to end a query, and the tunnel stays."""
    kept = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(list(command), env=env, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, kept)


@contextmanager
def _opened(session: Any, wanted: Wanted, who: str) -> Iterator[tuple[Forward, Login]]:
    with ExitStack() as ways:
        with step(f"find the bastion and the database of {wanted.environment}") as line:
            database = place.find_database(session, f"lyceum-{wanted.environment}-database")
            bastion = place.find_bastion(session, wanted.environment)
            line.note(f"{bastion}, {database.address}:{database.port}")
        with step("open a Session Manager session") as line:
            way = Way.to_database(bastion, wanted.environment)
            opened = ways.enter_context(forward.opened(session, way, port=wanted.port))
            line.note(f"127.0.0.1:{opened.port}, {opened.session}")
        with step("log in") as line:
            if wanted.write:
                entered = login.owner(session, database, opened.port)
                entered.connect().close()
            else:
                entered = ways.enter_context(login.reading(session, wanted.environment, database, opened.port, who))
            line.note(f"{entered.user}, {'who may change everything' if wanted.write else 'reads only, for an hour'}")
        yield opened, entered


@contextmanager
def _environment(who: Login) -> Iterator[dict[str, str]]:
    """What psql and everything else that speaks libpq reads; the password lies in a file that only its owner reads."""
    with tempfile.TemporaryDirectory(prefix="lyceum-tunnel-") as folder:
        file = Path(folder) / "pgpass"
        file.touch(mode=0o600)
        if not who.password.isascii() or any(letter in who.password for letter in "\n\r"):
            raise Refused("The password holds what a password file cannot hold.")
        escaped = who.password.replace("\\", "\\\\").replace(":", "\\:")
        file.write_text(f"127.0.0.1:{who.port}:{who.name}:{who.user}:{escaped}\n")
        yield {
            "PGHOST": "127.0.0.1", "PGPORT": str(who.port), "PGDATABASE": who.name, "PGUSER": who.user,
            "PGSSLMODE": "require", "PGPASSFILE": str(file),
        }  # fmt: skip


def _tell(wanted: Wanted, who: Login, env: dict[str, str]) -> None:
    if wanted.write:
        out.print("[bold yellow]What you change counts at once, for every learner.[/bold yellow]")
    out.print("In another terminal:")
    out.print(
        f"  PGPASSFILE={env['PGPASSFILE']} psql "
        f'"host=127.0.0.1 port={who.port} dbname={who.name} user={who.user} sslmode=require"',
        markup=False,
    )
    out.print("Ctrl-C here closes it, and takes the password away.")
    out.file.flush()
