"""`./lyceum drill restore ENV` on AWS: who asks, the ways to the databases, the learner, the report."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from lyceum_ops import aws, manage, operate
from lyceum_ops.console import out
from lyceum_ops.drill.amazon import Database, Table
from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.report import Report
from lyceum_ops.errors import CommandFailed, Refused, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.forward import Way

REPORTS = "drills"


def restore(here: Here, environment: str, *, asked: Asked) -> Report:
    """A drill of an environment on AWS: its database and its learners' progress."""
    operate.require_environment(here, environment)
    forward.require_plugin()
    session = aws.session(operate.setting("region", asked) or None)
    caller = aws.identify(session)
    operate.require_account(here, f"platform-{environment}", asked, caller)
    if caller.is_deployer:
        raise Refused("The deployer may not read the database.", "Use an administrator's credentials.")
    database = place.find_database(session, f"lyceum-{environment}-database")
    bastion = place.find_bastion(session, environment)
    with forward.opened(session, Way.to_database(bastion, environment)) as live:
        owner = login.owner(session, database, live.port)
        stores = (
            Database(session.client("rds"), environment, owner, partial(_reach, session, bastion)),
            Table(session.client("dynamodb"), environment),
        )
        content = f"s3://lyceum-{environment}-content-{caller.account}"
        return drill(environment, stores, partial(_trial, here.infra.parent, content))


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


@contextmanager
def _reach(session: Any, bastion: str, host: str) -> Iterator[int]:
    with forward.opened(session, Way.to_host(bastion, host, 5432)) as opened:
        yield opened.port


def _trial(checkout: Path, content: str, copies: Mapping[str, str], number: str) -> str:
    """The platform of this checkout on the copies, and on the live content, which it only reads."""
    with tempfile.TemporaryDirectory(prefix="lyceum-drill-") as folder:
        env = {"LYCEUM_VAR_DIR": folder, "CONTENT_URL": content, "SECRET_KEY": secrets.token_urlsafe(48), **copies}
        said, code = manage.run(checkout, env, "check_restored", "--drill", number, "--without-files")
    if code:
        raise CommandFailed(f"manage.py check_restored failed: {manage.last(said)}", errors=(said,))
    return manage.last(said)
