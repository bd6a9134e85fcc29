"""Decides every call by the IAM policies that exist in the emulated account, when the emulator is told to.

The account's own policies, boundaries, roles and resources are read out of moto at each call, so that a policy that was
changed counts from the next call on. The administrator's key passes. Services that act by themselves are not decided:
the emulator has none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import utcnow

from lyceum_lab.emulator import ACCOUNT, ROOT_KEY, lookup
from lyceum_lab.emulator.wire import ApiError, Call
from lyceum_lab.iam import actions, evaluate, requests
from lyceum_lab.iam.evaluate import Decision, Principal, Request
from lyceum_lab.iam.policies import Policy, parse

OF_THE_MOMENT = {"aws:CurrentTime", "aws:EpochTime", "aws:SourceIp", "aws:UserAgent"}
# What needs no right (AWS STS API Reference, GetCallerIdentity).
FREE = {"sts:GetCallerIdentity"}


class Guard:
    """Refuses what no policy allows, and counts what it decided and what it could not tell."""

    def __init__(self) -> None:
        self._account = lookup.Moto()
        self.decided = self.calls = 0
        self.underivable: Counter[str] = Counter()
        self.undocumented: Counter[str] = Counter()
        self.refused: list[dict[str, str]] = []
        self._roles: dict[str, dict[str, dict[str, Any]]] = {}

    def __call__(self, call: Call) -> None:
        """Raise ApiError, as AWS words it, when the caller may not do this."""
        if call.operation == "Preflight" or not call.operation or call.access_key == ROOT_KEY:
            return
        who = principal(call)
        self.calls += 1
        for one in requests.asked(asking(call, who, self._account)):
            if one.action in FREE:
                continue
            self.decided += 1
            if not one.derived:
                self.underivable[one.action] += 1
            if actions.find(one.action) is None:
                self.undocumented[one.action] += 1
            decision = self._decide(who, one)
            self._remember(who, one)
            line = {"action": one.action, "resource": shown(one.resource), "by": decision.by}
            if one.because:
                line["for"] = one.because
            call.asked.append(line)
            if not decision.allowed:
                request = Request(one.action, one.resource, {})
                message = evaluate.refusal(who, request, decision)
                line["refused"] = decision.reason
                self.refused.append({**line, "who": who.arn, "call": call.name})
                raise refused(call, message)

    def as_dict(self) -> dict[str, Any]:
        """For the emulator's page: the figures, and the lists that say what they leave out."""
        return {
            "calls": self.calls,
            "decisions": self.decided,
            "without_resource": dict(self.underivable.most_common()),
            "undocumented": dict(self.undocumented.most_common()),
            "refused": self.refused,
        }

    def asked_by(self) -> dict[str, list[dict[str, Any]]]:
        """The different things that each role asked for: action, resource, context."""
        return {role: list(requests.values()) for role, requests in self._roles.items()}

    def _remember(self, who: Principal, one: requests.Asked) -> None:
        if not who.role:
            return
        told = {
            "action": one.action,
            "resource": one.resource if one.derived else evaluate.ANY,
            "context": {key: value for key, value in one.context.items() if key not in OF_THE_MOMENT},
        }
        self._roles.setdefault(who.role, {})[json.dumps(told, sort_keys=True)] = told

    def _decide(self, who: Principal, one: requests.Asked) -> Decision:
        context = evaluate.context(one.context)
        policy, alone = self._account.resource_policy(one.action, one.resource)
        if one.derived:
            return evaluate.decide(who, Request(one.action, one.resource, context), policy, alone=alone)
        # The call does not tell the resource: a statement for any resource counts, if its conditions hold as far as
        # they are known. That is lenient, and counted.
        return evaluate.decide(who, Request(one.action, evaluate.ANY, context), policy, alone=alone)


def asking(call: Call, who: Principal, account: requests.Account) -> requests.Asking:
    """The call, with what it tells of its caller and of the moment (IAM User Guide, global condition context keys)."""
    now = datetime.now(UTC)
    user = "" if who.role else who.arn.rsplit("/", 1)[-1]
    general: dict[str, Any] = {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": int(now.timestamp()),
        "aws:PrincipalAccount": who.account or None,
        "aws:PrincipalArn": who.stable or None,
        "aws:PrincipalIsAWSService": False,
        "aws:PrincipalType": "AssumedRole" if who.role else "User" if user else "Anonymous",
        "aws:RequestedRegion": call.region or None,
        "aws:ResourceAccount": ACCOUNT,
        # The emulator speaks plain HTTP on the loopback; on AWS these callers speak TLS.
        "aws:SecureTransport": True,
        "aws:SourceIp": call.environ.get("REMOTE_ADDR"),
        "aws:UserAgent": call.environ.get("HTTP_USER_AGENT"),
        "aws:ViaAWSService": False,
        "aws:username": user or None,
    }
    parameters = call.parameters
    if who.role:
        # The session of a role does not remember the second factor with which it was made (IAM User Guide, "Secure API
        # access with MFA").
        general["aws:MultiFactorAuthPresent"] = False
    elif call.name == "sts:AssumeRole" and lookup.has_device(user, parameters.get("SerialNumber", "")):
        general["aws:MultiFactorAuthPresent"] = bool(parameters.get("TokenCode"))
    return requests.Asking(
        call.service, call.operation, call.model_name, call.region or "us-east-1", parameters, account, general
    )


def principal(call: Call) -> Principal:
    """Who holds the key of the call. Raises ApiError for a key that nobody holds, or no longer."""
    if not call.access_key:
        return Principal("anonymous", "")
    if found := lookup.user(call.access_key):
        return Principal(found.arn, ACCOUNT, _documents(found.policies), _document(found.boundary))
    if session := lookup.session(call.access_key):
        if session.expiration < utcnow():
            raise ApiError("ExpiredToken", "The security token included in the request is expired", 403)
        return Principal(
            session.arn, ACCOUNT, _documents(session.policies), _document(session.boundary),
            parse("the session's policy", session.policy) if session.policy else None, session.role,
        )  # fmt: skip
    raise ApiError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def shown(resource: str) -> str:
    """A resource as it may stand in a log: an object's key may not."""
    if resource.startswith("arn:aws:s3:::") and "/" in resource:
        return f"{resource.partition('/')[0]}/…"
    return resource


def refused(call: Call, message: str) -> ApiError:
    """The error of the caller's protocol (EC2 API "Error codes"; the others' "Common errors")."""
    if call.service == "ec2":
        return ApiError("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if call.service == "s3" or call.protocol in {"query", "rest-xml"}:
        return ApiError("AccessDenied", message, 403)
    return ApiError("AccessDeniedException", message, 403 if call.protocol == "rest-json" else 400)


def _documents(found: Iterable[tuple[str, str]]) -> tuple[Policy, ...]:
    return tuple(parse(name, document) for name, document in found)


def _document(arn: str) -> Policy | None:
    return parse(arn, lookup.managed(arn)) if arn else None
