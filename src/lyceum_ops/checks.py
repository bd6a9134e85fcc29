"""The form of a check, the way in which each asks AWS (reads only, absences told from refusals), and its line.

`./lyceum preflight` and `./lyceum doctor` are lists of such checks.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.markup import escape

from lyceum_ops import aws
from lyceum_ops.aws import Caller
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError, NotPermitted
from lyceum_ops.operate import Here

WORST_FIRST = ("fail", "unknown", "warn", "ok")
COLOUR = {"fail": "red", "unknown": "magenta", "warn": "yellow", "ok": "green"}
# What AWS says of a thing that is not there, in its services' different words.
ABSENT = {
    "404", "DBInstanceNotFound", "DBInstanceNotFoundFault", "FileSystemNotFound", "LoadBalancerNotFound",
    "NoSuchBucket", "NoSuchEntity", "NoSuchEntityException", "NoSuchKey", "NoSuchPublicAccessBlockConfiguration",
    "NoSuchResourceException", "NotFoundException", "ResourceNotFoundException", "TableNotFoundException",
    "TargetGroupNotFound",
}  # fmt: skip
# Where IAM calls a service otherwise than boto3 does.
PREFIX = {
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "sesv2": "ses",
    "service-quotas": "servicequotas",
}


@dataclass(frozen=True)
class Found:
    """What a check found: its verdict, one of WORST_FIRST, the facts, and what to do about them."""

    verdict: str
    text: str
    hint: str = ""


def ok(text: str) -> Found:
    return Found("ok", text)


def warn(text: str, hint: str) -> Found:
    return Found("warn", text, hint)


def fail(text: str, hint: str) -> Found:
    return Found("fail", text, hint)


def unknown(text: str, hint: str = "") -> Found:
    return Found("unknown", text, hint)


@dataclass(frozen=True)
class Account:
    """The account that is looked at, and what the environment to come wants of it."""

    here: Here
    session: Any
    caller: Caller | None
    region: str
    environment: str
    domain: str
    nat: str
    config: Any = None
    _clients: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    _making: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def who(self) -> Caller:
        assert self.caller  # noqa: S101 - only checks that need none are made without credentials
        return self.caller

    def client(self, service: str) -> Any:
        """The client of a service. A session is not made for several threads; its clients are."""
        with self._making:
            if service not in self._clients:
                self._clients[service] = self.session.client(service, config=self.config)
            return self._clients[service]

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """The answer to one call, None when AWS says that there is no such thing. Raises LyceumError for the rest."""
        from botocore.exceptions import ClientError

        with aws.asking(PREFIX.get(service, service)):
            try:
                return getattr(self.client(service), operation)(**parameters)
            except ClientError as error:
                if aws.code(error) in ABSENT:
                    return None
                raise

    def all(self, service: str, operation: str, of: str, **parameters: Any) -> list[Any]:
        """Every item `of` a listing, over all its pages."""
        with aws.asking(PREFIX.get(service, service)):
            client = self.client(service)
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**parameters).get(of, []))
            return [
                item for page in client.get_paginator(operation).paginate(**parameters) for item in page.get(of, [])
            ]


@dataclass(frozen=True)
class Check:
    """One thing to look at. `asks` names the calls that it makes, as IAM does."""

    name: str
    asks: str
    look: Callable[[Account], Found]


def make(check: Check, asking: Account) -> Found:
    """What a check finds; `unknown`, with the reason, where it may not or cannot ask."""
    try:
        return check.look(asking)
    except NotPermitted as error:
        return unknown(f"may not ask: {error.message}", f"It asks {check.asks}.")
    except LyceumError as error:
        return unknown(error.message, f"It asks {check.asks}.")


def worst_first(found: Iterable[tuple[Check, Found]]) -> list[tuple[Check, Found]]:
    return sorted(found, key=lambda one: WORST_FIRST.index(one[1].verdict))


def show(name: str, found: Found) -> None:
    """Print one line."""
    hint = f"  [dim]{escape(found.hint)}[/dim]" if found.hint else ""
    colour = COLOUR[found.verdict]
    out.print(f"[{colour}]{found.verdict:<7}[/{colour}]  {escape(name)}  {escape(found.text)}{hint}")


def show_all(results: Sequence[tuple[Check, Found]], *, unmade: int = 0, failed: int = 0) -> int:
    """Print a line a check and a counted one. Returns the exit code: 1 if any fails, `failed` ones before included."""
    for check, found in results:
        show(check.name, found)
    count = Counter(found.verdict for _, found in results)
    count["fail"] += failed
    if unmade:
        out.print(f"{unmade} checks were not made: they need credentials")
    out.print(", ".join(f"{count[verdict]} {verdict}" for verdict in WORST_FIRST))
    return 1 if count["fail"] else 0
