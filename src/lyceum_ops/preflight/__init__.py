"""`./lyceum preflight`: what an account lacks before a first real deployment. It reads, and changes nothing.

    account.py   who asks, bootstrap, the second factor, the budget, the tools on this machine
    capacity.py  what the region offers, and quotas with their use
    services.py  AWS's own roles, the domain's zone, mail, the pipeline's connection

A check that could not be made says `unknown` and why: it is never taken for `ok`.
"""

from __future__ import annotations

from lyceum_ops import aws
from lyceum_ops.aws import Caller
from lyceum_ops.checks import Account, Check, Found, fail, make, show, show_all, worst_first
from lyceum_ops.errors import LyceumError
from lyceum_ops.operate import Asked, Here, described, setting
from lyceum_ops.preflight import account, capacity, services

CHECKS: tuple[Check, ...] = (*account.CHECKS, *capacity.CHECKS, *services.CHECKS)


def examine(asking: Account, checks: tuple[Check, ...] = CHECKS) -> list[tuple[Check, Found]]:
    """Every check with its verdict, the worst first."""
    return worst_first((check, make(check, asking)) for check in checks)


def run(here: Here, environment: str, *, asked: Asked, domain: str = "") -> int:
    """Print one line a check, the worst first, and a counted line. Returns the exit code: 1 if any fails."""
    said = described(here, environment, asked)
    session = aws.session(setting("region", said) or None)
    caller: Caller | None = None
    checks = CHECKS
    try:
        caller = aws.identify(session)
    except LyceumError as error:
        show("credentials", fail(str(error), ""))
        checks = account.LOCAL
    asking = Account(here=here, session=session, caller=caller, region=session.region_name, environment=environment,
                     domain=domain or setting("domain", said), nat=setting("nat", said) or "one")  # fmt: skip
    lost = caller is None
    return show_all(examine(asking, checks), unmade=len(CHECKS) - len(checks) if lost else 0, failed=int(lost))
