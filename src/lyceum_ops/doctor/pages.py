"""The names that infra/ gives, and where the runbook speaks of what is wrong with them."""

from __future__ import annotations

from lyceum_ops.checks import Account, Found, fail


def page(name: str) -> str:
    return f"docs/runbook/{name}.md"


def name(asking: Account, what: str = "") -> str:
    """The name of an environment's resource, as lyceum-dev-database."""
    return f"lyceum-{asking.environment}" + (f"-{what}" if what else "")


def missing(what: str) -> Found:
    """The finding for what is not there."""
    return fail(f"there is no {what}", page("first-deployment"))
