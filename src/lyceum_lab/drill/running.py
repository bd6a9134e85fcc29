"""The stores of `./lyceum rehearse` that runs: the database by way of the bastion, the others by the emulated API."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from lyceum_lab import paths, platform
from lyceum_lab.cloud import standins
from lyceum_lab.cloud.site import system_postgres
from lyceum_lab.cloud.visit import running
from lyceum_lab.drill.recovery import Recovery
from lyceum_lab.drill.stores import Bucket, Database, Files, Table, libpq
from lyceum_lab.rehearsal import infrastructure, state
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, Session
from lyceum_lab.rehearsal.up import ENVIRONMENT
from lyceum_ops.drill import release
from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.report import Report
from lyceum_ops.errors import LyceumError, Refused, Usage
from lyceum_ops.restore import content, course, progress
from lyceum_ops.restore.course import Brought, Stores
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.forward import Way


def rehearse(environment: str) -> Report:
    """A drill of the cloud that runs on this machine. Raises Usage for an environment that it is not."""
    env, session = _there(environment, f"./lyceum drill restore {ENVIRONMENT} --rehearsal")
    name, work = f"lyceum-{environment}", paths.REHEARSAL / "drill"
    work.mkdir(exist_ok=True)
    with _alone(work), _database(session, environment) as url:
        stores = (
            Database(lambda: psycopg.connect(url, autocommit=True), libpq(url), work, system_postgres()),
            Table(session.client("dynamodb"), f"{name}-progress", work),
            Files(paths.REHEARSAL / "files", work),
            Bucket(session.client("s3"), f"{name}-content-{ACCOUNT}", work),
        )
        with tempfile.TemporaryDirectory(prefix="lyceum-drill-") as folder:
            settings = {**env, "SECRET_KEY": secrets.token_urlsafe(48), "LYCEUM_VAR_DIR": folder}
            commands = platform.Commands(platform.environment(settings), Path(folder) / "manage.log")

            def trial(copies: Mapping[str, str], number: str) -> str:
                return commands("check_restored", "--drill", number, **copies).strip().splitlines()[-1]

            return drill(environment, stores, trial)


def bring_course_back(environment: str, slug: str, at: datetime | None, *, dry_run: bool) -> Brought:
    """A course of the cloud that runs on this machine. Raises Usage for an environment that it is not."""
    _, session = _there(environment, f"./lyceum restore course {ENVIRONMENT} {slug} --rehearsal")
    name, work = f"lyceum-{environment}", paths.REHEARSAL / "drill"
    work.mkdir(exist_ok=True)

    @contextmanager
    def live() -> Iterator[psycopg.Connection[Any]]:
        with _database(session, environment) as url, psycopg.connect(url, autocommit=True) as connection:
            yield connection

    with _alone(work):
        with _database(session, environment) as url:
            told = libpq(url)
        owner = (told["PGUSER"], told["PGPASSWORD"])
        stores = Stores(
            live,
            Recovery(paths.REHEARSAL / "postgres", work, owner, system_postgres()),
            content.Bucket(session.client("s3"), f"{name}-content-{ACCOUNT}"),
            progress.Items(session.client("dynamodb"), f"{name}-progress"),
            release.migrating(paths.CHECKOUT),
        )
        return course.restore(slug, at, stores, dry_run=dry_run)


def _there(environment: str, command: str) -> tuple[dict[str, str], Session]:
    """The environment and the session of the rehearsal that runs. Raises Usage when it is of another one."""
    running()
    if environment != ENVIRONMENT:
        raise Usage(f"The rehearsal that runs is of {ENVIRONMENT}.", command)
    there = state.running()
    if there is None:
        raise LyceumError("The rehearsal ended a moment ago.")
    env = infrastructure.aws_environment(str(there.emulator))
    return env, Session.of(env)


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """A second drill would take the first one's copies for leftovers."""
    with (work / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("Another drill of this rehearsal is under way.", "Let it end first.") from error
        yield


@contextmanager
def _database(session: Session, environment: str) -> Iterator[str]:
    """The URL of the live database's owner, through a session to the bastion, as an administrator comes there."""
    os.environ["PATH"] = f"{standins.FOLDER}:{os.environ['PATH']}"
    database = place.find_database(session, f"lyceum-{environment}-database")
    way = Way.to_database(place.find_bastion(session, environment), environment)
    with forward.opened(session, way) as opened:
        who = login.owner(session, database, opened.port)
        yield psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=who.port, dbname=who.name, user=who.user, password=who.password, sslmode="require"
        )
