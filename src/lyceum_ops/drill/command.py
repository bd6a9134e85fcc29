"""`./lyceum drill restore ENV` on AWS: who asks, the ways to the databases, the learner, the report."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from lyceum_ops import manage
from lyceum_ops.console import out, step
from lyceum_ops.drill import live
from lyceum_ops.drill.amazon.database import Database
from lyceum_ops.drill.amazon.files import WeeklyFiles
from lyceum_ops.drill.amazon.reader import Reader, signing
from lyceum_ops.drill.amazon.table import Table
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.amazon.weekly import WeeklyBucket, WeeklyDatabase, WeeklyTable
from lyceum_ops.drill.drill import Trial, drill
from lyceum_ops.drill.release import migrating
from lyceum_ops.drill.report import Report
from lyceum_ops.errors import CommandFailed, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.tunnel.login import Login

REPORTS = "drills"


def restore(here: Here, environment: str, *, asked: Asked) -> Report:
    """A drill of an environment on AWS: its database and its learners' progress."""
    found = live.find(here, environment, asked=asked)
    with found.way() as port:
        stores = (
            Database(found.session.client("rds"), environment, found.owner(port), found.reach),
            Table(found.session.client("dynamodb"), environment),
        )
        # What a weekly drill left of bucket and files goes too: whoever drills next takes it away.
        return drill(environment, stores, _trial(here, found), others=_content(found, _vault(found)))


def restore_weekly(here: Here, environment: str, *, asked: Asked) -> Report:
    """A drill with the newest weekly recovery points of an environment on AWS: of all four of its stores."""
    found = live.find(here, environment, asked=asked)
    vault = _vault(found)
    stores = _weekly(found, vault)
    with step("look for the newest recovery points") as line:
        # Of all of them, before hours go into the first.
        line.note(", ".join(f"{store.name} of {store.newest().began:%A}" for store in stores))
    tried = _trial(here, found)

    def trial(copies: Mapping[str, str], number: str) -> str:
        # The tables are of then, the platform is today's.
        migrating(here.infra.parent)(copies["DATABASE_URL"])
        return tried(copies, number)

    return drill(environment, stores, trial, ended=vault.ended)


def _vault(found: live.Live) -> Vault:
    name = f"lyceum-{found.environment}-backup"
    return Vault(found.session.client("backup"), name, f"arn:{found.partition}:iam::{found.account}:role/{name}")


# Clients are made here and not where they are used: a session makes them for one thread alone.


def _weekly(found: live.Live, vault: Vault) -> tuple[WeeklyDatabase, WeeklyTable, WeeklyBucket, WeeklyFiles]:
    client, environment = found.session.client, found.environment
    # Of the live database's owner nothing is asked but the name: the copies have passwords of their own.
    owner = Login(found.database.owner, "", 0, found.database.name)
    return (
        WeeklyDatabase(client("rds"), environment, owner, found.reach, vault=vault),
        WeeklyTable(client("dynamodb"), environment, vault=vault),
        *_content(found, vault),
    )


def _content(found: live.Live, vault: Vault) -> tuple[WeeklyBucket, WeeklyFiles]:
    client, environment, account = found.session.client, found.environment, found.account
    reader = Reader(client("ec2"), client("autoscaling"), signing(client), environment)
    return (
        WeeklyBucket(client("s3"), environment, account, vault),
        WeeklyFiles(client("efs"), reader, account, found.connect, vault),
    )


def reports(here: Here, folder: Path | None) -> Path:
    """Where the report will be kept, tried before a drill of an hour. Raises Usage for what cannot be written.

    Leaves no folder: a drill that is refused has made no report.
    """
    wanted = folder or here.home / REPORTS
    missing = [one for one in (wanted, *wanted.parents) if not one.exists()]
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            pass
    except OSError as error:
        raise Usage(f"No report can be written to {wanted}: {error.strerror}.", "Name another folder.") from error
    finally:
        for one in missing:
            with suppress(OSError):  # never made, or taken by somebody since
                one.rmdir()
    return wanted


def finish(report: Report, folder: Path) -> int:
    """Show and keep what was found. Returns the exit code: 0 when everything held."""
    report.show()
    page = report.write(folder)
    out.print(f"The report: {page}", markup=False)
    return 0 if report.held else 1


def _trial(here: Here, found: live.Live) -> Trial:
    """The platform of this checkout on the copies; what there is no copy of, the live content, it only reads."""
    return partial(_tried, here.infra.parent, f"s3://lyceum-{found.environment}-content-{found.account}")


def _tried(checkout: Path, content: str, copies: Mapping[str, str], number: str) -> str:
    with tempfile.TemporaryDirectory(prefix="lyceum-drill-") as folder:
        env = {"LYCEUM_VAR_DIR": folder, "CONTENT_URL": content, "SECRET_KEY": secrets.token_urlsafe(48), **copies}
        said, code = manage.run(checkout, env, "check_restored", "--drill", number, "--without-files")
    if code:
        raise CommandFailed(f"manage.py check_restored failed: {manage.last(said)}", errors=(said,))
    return manage.last(said)
