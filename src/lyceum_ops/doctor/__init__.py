"""`./lyceum doctor`: what a tired person runs first. How an environment is, the worst first, with the page to read.

    servers.py   the group, the targets, the release, the certificate
    stores.py    database, table, bucket, shared files, backups
    watch.py     alarms, Terraform's state and its lock
    drift.py     rules, bounds and settings, held against that state

It reads and changes nothing. All checks ask at once, each with bounded patience: an answer that does not come is
`unknown`, never waited for and never taken for `ok`. What is not there is said to be missing.
"""

from __future__ import annotations

import threading
import time

from lyceum_ops import aws
from lyceum_ops.checks import Account, Check, Found, fail, make, ok, show, show_all, unknown, worst_first
from lyceum_ops.doctor import drift, servers, stores, watch
from lyceum_ops.errors import LyceumError
from lyceum_ops.operate import Asked, Here, described, setting

# Seconds: of one answer, and of all of them together.
CONNECT, ANSWER, ALL = 2, 4, 9.0


def credentials(asking: Account) -> Found:
    return ok(f"account {asking.who.account}, {asking.region}, as {asking.who.arn}")


CHECKS: tuple[Check, ...] = (
    Check("credentials", "sts:GetCallerIdentity", credentials),
    *watch.CHECKS,
    *servers.CHECKS,
    *stores.CHECKS,
    *drift.CHECKS,
)


def examine(asking: Account, checks: tuple[Check, ...] = CHECKS, *, patience: float = ALL) -> list[tuple[Check, Found]]:
    """Every check with its verdict, the worst first; those that take longer than `patience` seconds are `unknown`."""
    found: dict[str, Found] = {}

    defects: list[BaseException] = []

    def look(check: Check) -> None:
        try:
            found[check.name] = make(check, asking)
        except BaseException as error:
            defects.append(error)

    # Daemons: a check that hangs must not keep the command from ending.
    threads = [threading.Thread(target=look, args=(check,), daemon=True) for check in checks]
    until = time.monotonic() + patience
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if defects:
        raise defects[0]
    slow = unknown(f"no answer within {patience:g} s", "Is the network up? Run it again.")
    return worst_first([(check, found.get(check.name, slow)) for check in checks])


def run(here: Here, environment: str, *, asked: Asked) -> int:
    """Print one line a check, the worst first, and a counted line. Returns the exit code: 1 if any fails."""
    from botocore.config import Config

    said = described(here, environment, asked)
    session = aws.session(setting("region", said) or None)
    config = Config(connect_timeout=CONNECT, read_timeout=ANSWER, retries={"total_max_attempts": 2})
    try:
        caller = aws.identify(session, config)
    except LyceumError as error:
        show("credentials", fail(str(error), "docs/runbook/README.md"))
        return show_all([], unmade=len(CHECKS) - 1, failed=1)
    asking = Account(here=here, session=session, caller=caller, region=session.region_name, environment=environment,
                     domain=setting("domain", said), nat="", config=config)  # fmt: skip
    return show_all(examine(asking))
