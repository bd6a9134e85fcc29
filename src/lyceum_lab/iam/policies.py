"""IAM policy documents, read once into what can be matched.

Source: IAM User Guide, "IAM JSON policy reference" (grammar, elements). A document that AWS would refuse is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lyceum_lab.iam import conditions
from lyceum_lab.iam.conditions import Condition, Context
from lyceum_ops.errors import LyceumError

ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement. `resource` is None in a trust policy, `principal` in an identity policy; both then match all."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    excepted_actions: bool  # NotAction
    resources: tuple[str, ...] | None
    excepted_resources: bool  # NotResource
    principals: Mapping[str, tuple[str, ...]] | None
    excepted_principals: bool  # NotPrincipal
    conditions: tuple[Condition, ...]
    variables: bool
    index: int = 0

    def covers_action(self, action: str) -> bool:
        """Actions know no case."""
        found = any(conditions.matches(((pattern, True),), action, case=False) for pattern in self.actions)
        return found is not self.excepted_actions

    def covers_resource(self, resource: str, asked: Context) -> bool:
        """Resources know their case, and have variables."""
        if self.resources is None:
            return True
        patterns = [conditions.substitute(p, asked) if self.variables else ((p, True),) for p in self.resources]
        found = any(pattern is not None and conditions.matches(pattern, resource) for pattern in patterns)
        return found is not self.excepted_resources

    def applies(self, action: str, resource: str, asked: Context) -> bool:
        """Whether it says something of this request, whoever makes it."""
        return (
            self.covers_action(action)
            and self.covers_resource(resource, asked)
            and all(condition.holds(asked, self.variables) for condition in self.conditions)
        )


@dataclass(frozen=True)
class Policy:
    """A document under the name by which a person would find it."""

    name: str
    statements: tuple[Statement, ...] = field(repr=False)


def parse(name: str, document: str | Mapping[str, Any]) -> Policy:
    """Read a document. Raises LyceumError, with the policy's name, for one that AWS would refuse."""
    text = document if isinstance(document, str) else json.dumps(document)
    return _parse(name, text)


@lru_cache(4096)
def _parse(name: str, text: str) -> Policy:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise _malformed(name, f"is not JSON: {error}") from None
    if not isinstance(told, dict) or "Statement" not in told:
        raise _malformed(name, "has no Statement")
    version = told.get("Version", "2008-10-17")
    if version not in {"2008-10-17", "2012-10-17"}:
        raise _malformed(name, f"has the version {version!r}")
    statements = told["Statement"] if isinstance(told["Statement"], list) else [told["Statement"]]
    return Policy(name, tuple(_statement(name, i, each, version != "2008-10-17") for i, each in enumerate(statements)))


def _statement(name: str, index: int, told: dict[str, Any], variables: bool) -> Statement:
    where = f"statement {told.get('Sid') or index + 1}"
    if unknown := told.keys() - ELEMENTS:
        raise _malformed(name, f"has in {where} the unknown {', '.join(sorted(unknown))}")
    if told.get("Effect") not in {"Allow", "Deny"}:
        raise _malformed(name, f"has in {where} the effect {told.get('Effect')!r}")
    if ("Action" in told) == ("NotAction" in told):
        raise _malformed(name, f"has in {where} not exactly one of Action and NotAction")
    if "Resource" in told and "NotResource" in told:
        raise _malformed(name, f"has in {where} both Resource and NotResource")
    resources = told.get("Resource", told.get("NotResource"))
    principals = told.get("Principal", told.get("NotPrincipal"))
    return Statement(
        sid=told.get("Sid", ""),
        allows=told["Effect"] == "Allow",
        actions=_texts(told.get("Action", told.get("NotAction"))),
        excepted_actions="NotAction" in told,
        resources=None if resources is None else _texts(resources),
        excepted_resources="NotResource" in told,
        principals=None if principals is None else _principals(principals),
        excepted_principals="NotPrincipal" in told,
        conditions=tuple(
            conditions.read(operator, key, _texts(values))
            for operator, keys in (told.get("Condition") or {}).items()
            for key, values in keys.items()
        ),
        variables=variables,
        index=index,
    )


def _principals(told: Any) -> dict[str, tuple[str, ...]]:
    if told == "*":
        return {"*": ("*",)}
    return {kind: _texts(values) for kind, values in told.items()}


def _texts(told: Any) -> tuple[str, ...]:
    values = told if isinstance(told, list) else [told]
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


def _malformed(name: str, what: str) -> LyceumError:
    return LyceumError(f"The policy {name} {what}.", "AWS would refuse it as malformed.")
