"""Whether AWS would allow a request, and which statement decided, within one account.

Source: IAM User Guide, "Policy evaluation logic" and "Evaluating identity-based policies with …"; AWS KMS Developer
Guide, "Key policies". Organisations' policies, other accounts and access control lists are outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lyceum_lab.iam.conditions import Context, context
from lyceum_lab.iam.policies import Policy, Statement

__all__ = ["ANY", "Decision", "Principal", "Request", "applies", "context", "decide", "refusal"]

# In place of a resource that a call does not tell: it is of every Allow and of no Deny, save those for all resources.
ANY = "(any)"


@dataclass(frozen=True)
class Principal:
    """Who asks. `arn` is the user's, or the session's of an assumed role, whose own ARN is then `role`.

    An AWS service that asks for itself is `service`, such as `ec2.amazonaws.com`, and has neither ARN nor account.
    """

    arn: str
    account: str
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    role: str = ""
    service: str = ""

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1] if ":" in self.arn else "aws"

    @property
    def stable(self) -> str:
        """What `aws:PrincipalArn` tells: of a session, the role's ARN."""
        return self.role or self.arn


@dataclass(frozen=True)
class Request:
    """One action on one resource, with what the request tells of itself."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Decision:
    """`policy` and `statement` decided; without a statement nothing spoke for the request, and `reason` says where."""

    allowed: bool
    reason: str
    policy: str = ""
    statement: Statement | None = None

    @property
    def by(self) -> str:
        """The statement that decided, as `policy/Sid`; "" when none did."""
        return f"{self.policy}/{self.statement.sid or self.statement.index + 1}" if self.statement else ""


def decide(who: Principal, request: Request, resource_policy: Policy | None = None, *, alone: bool = False) -> Decision:
    """Explicit denies first, then the resource's own policy, then identity ∩ boundary ∩ session.

    `alone` means that nothing is allowed but through the resource's policy, which may leave it to the account's IAM:
    so it is with KMS keys and with the trust policies of roles.
    """
    kinds = {
        "identity-based policy": who.identity,
        "permissions boundary": _some(who.boundary),
        "session policy": _some(who.session),
        "resource-based policy": _some(resource_policy),
    }
    for kind, policies in kinds.items():
        if found := _find(policies, who, request, allows=False):
            article = "an" if kind.startswith("identity") else "a"
            return Decision(False, f"with an explicit deny in {article} {kind}", *found)

    granted, delegated = _granted(resource_policy, who, request)
    # What a policy grants to a user or to a session itself, no boundary and no session policy takes back; what it
    # grants to the role, they do.
    if granted and granted[2] in {"user", "session"}:
        return Decision(True, "by a resource-based policy", granted[0], granted[1])
    if alone and not granted and not delegated:
        return _nothing(request, "resource-based policy")

    identity = _find(who.identity, who, request, allows=True)
    if not identity and not granted:
        return _nothing(request, "identity-based policy")
    if who.boundary and not _find((who.boundary,), who, request, allows=True):
        return _nothing(request, "permissions boundary")
    if who.session and not _find((who.session,), who, request, allows=True):
        return _nothing(request, "session policy")
    if identity:
        return Decision(True, "by an identity-based policy", *identity)
    assert granted  # noqa: S101 - the type checker's
    return Decision(True, "by a resource-based policy", granted[0], granted[1])


def refusal(who: Principal, request: Request, decision: Decision) -> str:
    """The sentence that AWS answers with."""
    what = f"{request.action} on resource: {request.resource}"
    return f"User: {who.arn} is not authorized to perform: {what} {decision.reason}"


def _nothing(request: Request, kind: str) -> Decision:
    return Decision(False, f"because no {kind} allows the {request.action} action")


def _some(policy: Policy | None) -> tuple[Policy, ...]:
    return (policy,) if policy else ()


def _find(
    policies: Iterable[Policy], who: Principal, request: Request, *, allows: bool
) -> tuple[str, Statement] | None:
    for policy in policies:
        for statement in policy.statements:
            if statement.allows is allows and applies(statement, request):
                if statement.principals is not None and not _names(statement, who):
                    continue
                return policy.name, statement
    return None


def applies(statement: Statement, request: Request) -> bool:
    """Whether the statement says something of the request, whoever makes it."""
    if request.resource != ANY:
        return statement.applies(request.action, request.resource, request.context)
    resources = statement.resources or ()
    resource = "*" if statement.allows is False or "*" in resources or not resources else resources[0]
    return statement.applies(request.action, resource, request.context)


def _granted(policy: Policy | None, who: Principal, request: Request) -> tuple[tuple[str, Statement, str] | None, bool]:
    """The statement of a resource's policy that allows the principal by name; whether one leaves it to the account."""
    granted: tuple[str, Statement, str] | None = None
    delegated = False
    for statement in policy.statements if policy else ():
        if not statement.allows or not applies(statement, request):
            continue
        named = _names(statement, who)
        if named == "account":
            delegated = True
        elif named and (granted is None or granted[2] == "role"):
            granted = policy.name if policy else "", statement, named
    return granted, delegated


def _names(statement: Statement, who: Principal) -> str:
    """How the statement names the principal: "user", "session", "role", "account", or "" when it does not."""
    named = _named(statement.principals or {}, who)
    if statement.excepted_principals:
        return "" if named else "role"
    return named


def _named(principals: object, who: Principal) -> str:
    if not isinstance(principals, dict):
        return ""
    found = {"user" for value in principals.get("Service", ()) if who.service and value == who.service}
    for value in (*principals.get("AWS", ()), *principals.get("*", ())):
        if value == who.arn:
            found.add("session" if who.role else "user")
        elif value == "*" or value == who.role:
            found.add("role")
        elif re.fullmatch(rf"{who.account}|arn:{who.partition}:iam::{who.account}:root", value):
            found.add("account")
    return next((kind for kind in ("user", "session", "role", "account") if kind in found), "")
