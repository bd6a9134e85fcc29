"""The form of a check, and the way in which each asks AWS: reads only, absences told from refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.aws import Caller
from lyceum_ops.operate import Here

WORST_FIRST = ("fail", "unknown", "warn", "ok")
COLOUR = {"fail": "red", "unknown": "magenta", "warn": "yellow", "ok": "green"}
# What AWS says of a thing that is not there, in its services' different words.
ABSENT = {"404", "NoSuchEntity", "NoSuchEntityException", "NoSuchResourceException", "NotFoundException"}
# Where IAM calls a service otherwise than boto3 does.
PREFIX = {"elbv2": "elasticloadbalancing", "sesv2": "ses", "service-quotas": "servicequotas"}


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

    @property
    def who(self) -> Caller:
        assert self.caller  # noqa: S101 - only checks that need none are made without credentials
        return self.caller

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """The answer to one call, None when AWS says that there is no such thing. Raises LyceumError for the rest."""
        from botocore.exceptions import ClientError

        with aws.asking(PREFIX.get(service, service)):
            try:
                return getattr(self.session.client(service), operation)(**parameters)
            except ClientError as error:
                if error.response["Error"]["Code"] in ABSENT:
                    return None
                raise

    def all(self, service: str, operation: str, of: str, **parameters: Any) -> list[Any]:
        """Every item `of` a listing, over all its pages."""
        with aws.asking(PREFIX.get(service, service)):
            client = self.session.client(service)
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
