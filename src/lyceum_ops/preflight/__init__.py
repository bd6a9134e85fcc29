"""`./lyceum preflight`: what an account lacks before a first real deployment. It reads, and changes nothing.

    checks.py    the form of a check, and what each may ask AWS through
    account.py   who asks, bootstrap, the second factor, the budget, the tools on this machine
    capacity.py  what the region offers, and quotas with their use
    services.py  AWS's own roles, the domain's zone, mail, the pipeline's connection

A check that could not be made says `unknown` and why: it is never taken for `ok`.
"""

from __future__ import annotations

from collections import Counter

from rich.markup import escape

from lyceum_ops import aws
from lyceum_ops.aws import Caller
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError, NotPermitted, Usage
from lyceum_ops.operate import Asked, Here, environments, setting
from lyceum_ops.preflight import account, capacity, services
from lyceum_ops.preflight.checks import COLOUR, WORST_FIRST, Account, Check, Found, unknown

CHECKS: tuple[Check, ...] = (*account.CHECKS, *capacity.CHECKS, *services.CHECKS)


def examine(asking: Account, checks: tuple[Check, ...] = CHECKS) -> list[tuple[Check, Found]]:
    """Every check with its verdict, the worst first."""
    found = [(check, _make(check, asking)) for check in checks]
    return sorted(found, key=lambda one: WORST_FIRST.index(one[1].verdict))


def _make(check: Check, asking: Account) -> Found:
    try:
        return check.look(asking)
    except NotPermitted as error:
        return unknown(f"may not ask: {error.message}", f"It asks {check.asks}.")
    except LyceumError as error:
        return unknown(error.message, f"It asks {check.asks}.")


def run(here: Here, environment: str, *, asked: Asked, domain: str = "") -> int:
    """Print one line a check, the worst first, and a counted line. Returns the exit code: 1 if any fails."""
    if environment not in environments(here):
        raise Usage(f"There is no environment named {environment!r}.", f"There are: {', '.join(environments(here))}.")
    files = (here.infra / "platform" / "env" / f"{environment}.tfvars", *asked.files)
    said = Asked(asked.values, files)
    session = aws.session(setting("region", said) or None)
    caller: Caller | None = None
    checks = CHECKS
    try:
        caller = aws.identify(session)
    except LyceumError as error:
        out.print(f"[red]fail   [/red]  credentials  {escape(str(error))}")
        checks = account.LOCAL
    asking = Account(here=here, session=session, caller=caller, region=session.region_name, environment=environment,
                     domain=domain or setting("domain", said), nat=setting("nat", said) or "one")  # fmt: skip
    results = examine(asking, checks)
    for check, found in results:
        hint = f"  [dim]{escape(found.hint)}[/dim]" if found.hint else ""
        colour = COLOUR[found.verdict]
        out.print(f"[{colour}]{found.verdict:<7}[/{colour}]  {escape(check.name)}  {escape(found.text)}{hint}")
    count = Counter(found.verdict for _, found in results)
    if caller is None:
        count["fail"] += 1
        out.print(f"{len(CHECKS) - len(checks)} checks were not made: they need credentials")
    out.print(", ".join(f"{count[verdict]} {verdict}" for verdict in WORST_FIRST))
    return 1 if count["fail"] else 0
