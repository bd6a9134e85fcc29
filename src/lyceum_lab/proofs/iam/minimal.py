"""Whether each part of a role's policies is needed, and narrower than it might be: by a replay of what the role asked.

Nothing is applied for it. The requests that were decided while dev and prod were applied, changed and destroyed, and
while the ways up were tried, are decided once more without each part in turn: a statement, one action of it, one of
its resources. Some request has to be decided otherwise; or the part has its reason, and a reason that nothing needs
any more is a finding. Then each part is widened, and a probe has to be let through that was refused: a recorded request
about another project's resource, in another region, with another tag, or by the neighbouring action.

Only what the role itself is given is looked at: the policies of keys and buckets, and its boundary, are not.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam import actions
from lyceum_lab.iam.conditions import Condition, matches
from lyceum_lab.iam.evaluate import ANY, Request, applies
from lyceum_lab.iam.policies import Policy, Statement
from lyceum_lab.proofs.report import listed, require

# A reading prefix stands for all that the provider may come to ask; whatever changes something is named for itself.
READS = re.compile(r"[\w-]+:(Describe|Get|List)\w*\*")
ELSEWHERE = "eu-west-1"


@dataclass(frozen=True)
class Reason:
    """Why parts stay that no request needs here: their names, `policy/Sid`, `… action` or `… on resource`, with *."""

    why: str
    parts: tuple[str, ...]

    def covers(self, part: Part) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.parts for name in (part.name, part.statement))


@dataclass(frozen=True)
class Part:
    """A statement (`what` is ""), or one action, resource or condition of it."""

    statement: str
    kind: str
    what: str = ""

    @property
    def name(self) -> str:
        between = {"resource": " on ", "condition": " if "}.get(self.kind, " ")
        return f"{self.statement}{between}{self.what}" if self.what else self.statement


@dataclass(frozen=True)
class Named:
    """A statement under the name by which a person would find it."""

    name: str
    statement: Statement

    @property
    def allows(self) -> bool:
        return self.statement.allows

    @cached_property
    def actions(self) -> dict[str, str]:
        """Each action that is named; of a wildcard that is no reading one, every action that it stands for."""
        found: dict[str, str] = {}
        for pattern in self.statement.actions:
            spelt = _stands_for(pattern) if self.allows and "*" in pattern and not READS.fullmatch(pattern) else ()
            found |= dict.fromkeys(spelt or (pattern,), pattern)
        return found

    def parts(self) -> Iterator[Part]:
        yield Part(self.name, "statement")
        yield from (Part(self.name, "action", action) for action in self.actions)
        if len(resources := self.statement.resources or ()) > 1:
            yield from (Part(self.name, "resource", resource) for resource in resources)

    def by_action(self, request: Request) -> list[str]:
        return [one for one in self.actions if matches(((one, True),), request.action, case=False)]

    def by_resource(self, request: Request) -> list[str]:
        resources = self.statement.resources or ()
        if request.resource == ANY:
            return list(resources)
        return [
            one for one in resources
            if replace(self.statement, resources=(one,)).covers_resource(request.resource, request.context)
        ]  # fmt: skip


class Rights:
    """All that a role is given, and what of it says something of a request."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.statements = [Named(f"{p.name}/{s.sid or s.index + 1}", s) for p in policies for s in p.statements]
        self._by_action: dict[str, list[Named]] = {}

    def applying(self, request: Request) -> tuple[list[Named], list[Named]]:
        """The statements that allow it, and those that deny it."""
        if request.action not in self._by_action:
            self._by_action[request.action] = [
                one for one in self.statements if one.statement.covers_action(request.action)
            ]
        found = [one for one in self._by_action[request.action] if applies(one.statement, request)]
        return [one for one in found if one.allows], [one for one in found if not one.allows]

    def silent(self, request: Request) -> bool:
        """Whether nothing speaks of it: it is refused for want of a statement, and no other would refuse it."""
        return self.applying(request) == ([], [])


# ---------------------------------------------------------------------------------------------------- taken away


def minimal(policies: list[Policy], requests: list[Request], reasons: Iterable[Reason] = ()) -> str:
    """Take each part away: some request must be decided otherwise, or the part has its reason.

    Raises Broken, with the parts' names, for one that nothing notices, and for a reason that nothing needs.
    """
    rights = Rights(policies)
    noticed = _noticed(rights, requests)
    parts = [part for one in rights.statements for part in one.parts()]
    # A statement with a reason needs none for what it consists of, and one without stands and falls with its parts.
    silent = [part for part in parts if part not in noticed]
    lines = _excused(silent, reasons, "gone", ": all of it is needed")
    of = Counter(part.kind for part in parts)
    by = Counter(part.kind for part in parts if part in noticed)
    kinds = ", ".join(f"{by[kind]} of {of[kind]} {kind}s" for kind in ("statement", "action", "resource") if of[kind])
    return f"taken away and noticed: {kinds}, by {len(requests)} different requests{lines}"


def _excused(silent: list[Part], reasons: Iterable[Reason], done: str, needless_as: str) -> str:
    """How many of the parts that nothing notices stay for which reason, a line each.

    Raises Broken for a part that has none once it is `done`, and for a reason that covers no such part.
    """
    reasons = tuple(reasons)
    why = {part: next((reason.why for reason in reasons if reason.covers(part)), None) for part in silent}
    idle = [part.name for part in silent if why[part] is None]
    require(not idle, f"nothing notices that {listed(idle, 60)} is {done}")
    needless = [
        pattern for reason in reasons for pattern in reason.parts
        if not any(Reason("", (pattern,)).covers(part) for part in silent)
    ]  # fmt: skip
    require(not needless, f"{listed(needless, 20)}{needless_as}, or gone, and has a reason why it is not")
    counts = Counter(why[part] for part in silent).most_common()
    return "".join(f"\n                  {count} not: {one}" for one, count in counts)


def _noticed(rights: Rights, requests: Iterable[Request]) -> set[Part]:
    noticed: set[Part] = set()
    for request in requests:
        allows, denies = rights.applying(request)
        # Alone among the allows, its absence refuses; alone among the denies, it lets through what something allows.
        deciding = denies if denies and allows else allows
        if len(deciding) != 1 or (denies and not allows):
            continue
        (one,) = deciding
        noticed.add(Part(one.name, "statement"))
        for kind, found in (("action", one.by_action(request)), ("resource", one.by_resource(request))):
            if len(found) == 1:
                noticed.add(Part(one.name, kind, found[0]))
    return noticed


# ---------------------------------------------------------------------------------------------------- widened


def narrow(policies: list[Policy], requests: list[Request], reasons: Iterable[Reason] = ()) -> str:
    """Widen each part: a probe that was refused must be let through. Raises Broken with those that add nothing."""
    rights = Rights(policies)
    used: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        allows, denies = rights.applying(request)
        if not denies:
            for one in allows:
                used[one.name].append(request)
    trials = [trial for one in rights.statements for trial in _widened(rights, one, used)]
    silent = [part for part, noticed in trials if not noticed]
    lines = _excused(silent, reasons, "wider", " is noticed")
    of = Counter(part.kind for part, _ in trials)
    kinds = ", ".join(f"{of[kind]} {kind}s" for kind in ("action", "resource", "condition") if of[kind])
    return f"widened and noticed: {len(trials) - len(silent)} of {len(trials)} ({kinds}){lines}"


def _widened(rights: Rights, one: Named, used: dict[str, list[Request]]) -> Iterator[tuple[Part, bool]]:
    """Each way in which a statement that is in use could say more, and whether a probe tells."""
    recorded, statement = used[one.name], one.statement
    if not one.allows:
        asked = [request for requests in used.values() for request in requests]
        for condition in statement.conditions:
            wider = replace(statement, conditions=tuple(c for c in statement.conditions if c is not condition))
            yield Part(one.name, "condition", _text(condition)), any(applies(wider, request) for request in asked)
        return

    def told(wider: Statement, probes: Iterable[Request]) -> bool:
        return any(applies(wider, probe) and rights.silent(probe) for probe in probes)

    for action in one.actions:
        if asked := [request for request in recorded if action in one.by_action(request)]:
            yield Part(one.name, "action", action), _by_neighbour(rights, asked[0], action)
    for resource in statement.resources or ():
        asked = [request for request in recorded if request.resource != ANY and resource in one.by_resource(request)]
        if resource != "*" and asked:
            wider = replace(statement, resources=("*",))
            yield Part(one.name, "resource", resource), told(wider, _each(asked, _elsewhere))
    for condition in statement.conditions if recorded else ():
        wider = replace(statement, conditions=tuple(c for c in statement.conditions if c is not condition))
        yield Part(one.name, "condition", _text(condition)), told(wider, _each(recorded, _otherwise(condition)))


def _by_neighbour(rights: Rights, asked: Request, action: str) -> bool:
    """Whether an action beside it, of the same verb or else of the same service, is refused on the same resource."""
    service, _, operation = action.partition(":")
    verb = re.match(r"[A-Z][a-z]+", operation)
    patterns = ([f"{service}:{verb[0]}*"] if verb and not action.endswith("*") else []) + [f"{service}:*"]
    for pattern in patterns:
        for neighbour in _stands_for(pattern):
            if rights.silent(Request(neighbour, asked.resource, asked.context)):
                return True
    return False


def _each(requests: Iterable[Request], change: Callable[[Request], Iterator[Request]]) -> Iterator[Request]:
    for request in requests:
        yield from change(request)


def _elsewhere(request: Request) -> Iterator[Request]:
    """The same about what is another project's, in another region, or of another kind that the action knows."""
    arn = request.resource
    region = arn.split(":")[3] if arn.count(":") >= 5 else ""
    names = re.sub(r"(?<=[:/-])lyceum([-/](dev|prod))?|(?<=/)platform", "another", arn)
    candidates = [names, re.sub(r"[^:/]+$", "another", arn)]
    if action := actions.find(request.action):
        values = {"Partition": "aws", "Region": region, "Account": ACCOUNT}
        candidates += [re.sub(r"\$\{(\w+)\}", lambda v: values.get(v[1], "another"), kind.arn) for kind in action.types]
    yield from (Request(request.action, one, request.context) for one in candidates if one != arn)
    if region:
        context = {**request.context, "aws:requestedregion": (ELSEWHERE,)}
        yield Request(request.action, arn.replace(f":{region}:", f":{ELSEWHERE}:", 1), context)


def _otherwise(condition: Condition) -> Callable[[Request], Iterator[Request]]:
    """The same with another value for the condition's key, or without one."""
    key = condition.key.lower()

    def change(request: Request) -> Iterator[Request]:
        bare = {name: value for name, value in request.context.items() if name != key}
        yield Request(request.action, request.resource, bare)
        yield Request(request.action, request.resource, {**bare, key: ("another",)})

    return change


def _stands_for(pattern: str) -> list[str]:
    return [name for name in actions.names(pattern.partition(":")[0]) if matches(((pattern, True),), name, case=False)]


def _text(condition: Condition) -> str:
    quantifier = f"{condition.quantifier}:" if condition.quantifier else ""
    return f"{quantifier}{condition.operator}{'IfExists' if condition.if_exists else ''} {condition.key}"
