"""A plan as plain resources, and the statements of its policies, also where Terraform says "(known after apply)".

What a plan does not know yet it still names: the code says `kms_key_id = aws_kms_key.database.arn`. Such a value
becomes a `Pointer`, a text that knows at which resources it points, through variables and outputs of modules. What is
neither known nor set in the code is None. A policy that waits for an ARN is read from its document, which lacks that
ARN and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from lyceum_ops import changes

DOCUMENT = "aws_iam_policy_document"
# Arguments that hold a policy as JSON.
POLICIES = ("policy", "assume_role_policy", "policy_document")


class Resource(TypedDict):
    """One resource of a plan; `values` are its arguments and attributes by name."""

    address: str
    type: str
    values: dict[str, Any]


class Pointer(str):
    """A value that is known after apply. `to` are the addresses, without keys, of what the code takes it from."""

    to: frozenset[str]

    def __new__(cls, to: Iterable[str] = ()) -> Pointer:
        made = super().__new__(cls, "(known after apply)")
        made.to = frozenset(to)
        return made


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. `principals` are (type, identifier), `conditions` (test, variable, values)."""

    owner: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...] = ()
    all_but_principals: bool = False
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @property
    def address(self) -> str:
        return f"{self.owner} {self.sid}".rstrip()


@dataclass(frozen=True)
class Posture:
    """What a plan would make. `name` is dev, prod or bootstrap; `documents` are its policy documents, by address."""

    name: str
    resources: tuple[Resource, ...]
    documents: Mapping[str, tuple[Statement, ...]]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource["type"] in types)

    def beside(self, resource: Resource, kind: str, argument: str) -> list[Resource]:
        """The resources of type `kind` whose `argument` points at this one."""
        wanted = plain(resource["address"])
        return [other for other in self.of(kind) if wanted in pointed(other["values"].get(argument))]

    def policy(self, resource: Resource, argument: str = "policy") -> tuple[Statement, ...]:
        """The statements of a resource's policy, known or pointed at."""
        value = resource["values"].get(argument)
        if isinstance(value, Pointer):
            return tuple(one for address in sorted(value.to) for one in self.documents.get(address, ()))
        return tuple(_of_json(resource["address"], value)) if isinstance(value, str) else ()

    def statements(self) -> Iterator[Statement]:
        """Every statement once: of all documents, and of the policies that are known and written otherwise."""
        for statements in self.documents.values():
            yield from statements
        for resource in self.resources:
            for name in POLICIES:
                value = resource["values"].get(name)
                if not isinstance(value, str) or isinstance(value, Pointer):
                    continue
                for statement in _of_json(resource["address"], value):
                    if not any(_same(statement, other) for known in self.documents.values() for other in known):
                        yield statement


def plain(address: str) -> str:
    """An address without the keys of count and for_each."""
    return re.sub(r'\["[^"]*"\]|\[\d+\]', "", address)


def pointed(value: Any) -> frozenset[str]:
    """All addresses at which a value points, however deep they lie in it."""
    if isinstance(value, Pointer):
        return value.to
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return frozenset(address for one in value for address in pointed(one))
    return frozenset()


def read(name: str, shown: Mapping[str, Any]) -> Posture:
    """From `terraform show -json` of a plan."""
    code = _Code(shown["configuration"]["root_module"])
    resources: list[Resource] = []
    documents: dict[str, tuple[Statement, ...]] = {}
    for found in changes.resources(shown.get("prior_state", {}).get("values", {}).get("root_module", {})):
        if found["type"] == DOCUMENT:
            documents[plain(found["address"])] = tuple(_of_document(found["address"], found["values"]))
    for item in shown["resource_changes"]:
        change = item["change"]
        if change["after"] is None:
            continue
        unknown = change.get("after_unknown") or {}
        if item["type"] == DOCUMENT:
            values = _fill(change["after"], unknown, None, _point_at_nothing)
            # Of documents made by for_each, all count.
            address = plain(item["address"])
            documents[address] = (*documents.get(address, ()), *_of_document(item["address"], values))
        elif item["mode"] == "managed":
            block, point = code.of(item)
            values = _fill(change["after"], unknown, block, point)
            resources.append({"address": item["address"], "type": item["type"], "values": values})
    return Posture(name, tuple(resources), documents)


class _Code:
    """The configuration that a plan carries: which argument takes its value from where."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root

    def module(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        found = self.root
        for name in path:
            found = found["module_calls"][name]["module"]
        return found

    def of(self, item: Mapping[str, Any]) -> tuple[Any, Any]:
        """A resource's arguments in the code, and how their references become a pointer."""
        path = tuple(re.findall(r"module\.([\w-]+)", plain(item.get("module_address", ""))))
        name = f"{item['type']}.{item['name']}"
        block = next(one for one in self.module(path)["resources"] if one["address"] == name)
        each = block.get("for_each_expression", {}).get("references", [])

        def point(references: Iterable[str]) -> Pointer:
            named = [other for one in references for other in (each if one.startswith("each.") else [one])]
            return Pointer(address for one in named for address in self.resolve(one, path))

        return block.get("expressions", {}), point

    def resolve(self, reference: str, path: tuple[str, ...]) -> Iterator[str]:
        """The addresses behind a reference in the module at `path`. No plan shows a local: the way ends there."""
        kind, *rest = plain(reference).split(".")
        if kind == "var" and path:
            expression = self.module(path[:-1])["module_calls"][path[-1]]["expressions"].get(rest[0], {})
            for one in _references(expression):
                yield from self.resolve(one, path[:-1])
        elif kind == "module" and len(rest) > 1:
            inner = (*path, rest[0])
            for one in _references(self.module(inner).get("outputs", {}).get(rest[1], {}).get("expression", {})):
                yield from self.resolve(one, inner)
        elif kind == "data" and len(rest) > 1:
            yield ".".join([*(f"module.{name}" for name in path), "data", *rest[:2]])
        elif kind.startswith("aws_") and rest:
            yield ".".join([*(f"module.{name}" for name in path), kind, rest[0]])


def _references(expression: Any) -> list[str]:
    return list(expression.get("references", [])) if isinstance(expression, dict) else []


def _point_at_nothing(_: Iterable[str]) -> Pointer:
    return Pointer()


def _fill(after: Any, unknown: Any, code: Any, point: Any) -> Any:
    """The planned value with pointers in the gaps. `code` is the argument's place in the configuration, or None."""
    if unknown is True:
        references = _references(code)
        # Without a reference nobody set it: AWS will choose. In a policy's document everything was set.
        return point(references) if references or point is _point_at_nothing else None
    if isinstance(after, dict):
        gaps = unknown if isinstance(unknown, dict) else {}
        inner = code if isinstance(code, dict) else {}
        return {name: _fill(after.get(name), gaps.get(name), inner.get(name), point) for name in {**after, **gaps}}
    if isinstance(after, list) or (after is None and isinstance(unknown, list)):
        values = after if after is not None else [None] * len(unknown)
        missing = unknown if isinstance(unknown, list) else [None] * len(values)
        # Blocks are a list in the code too; a list of values is one expression.
        places = code if isinstance(code, list) and len(code) == len(values) else [code] * len(values)
        return [_fill(value, gap, one, point) for value, gap, one in zip(values, missing, places, strict=True)]
    return after


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _of_document(owner: str, values: Mapping[str, Any]) -> Iterator[Statement]:
    """From the arguments of a policy document's data source."""
    for one in values.get("statement") or []:
        principals = [*(one.get("principals") or []), *(one.get("not_principals") or [])]
        yield Statement(
            owner,
            one.get("sid") or "",
            one.get("effect") or "Allow",
            # What is allowed with an exception is everything else.
            _several(one.get("actions")) or ("*",),
            _several(one.get("resources")) or (("*",) if one.get("not_resources") else ()),
            tuple((who["type"], name) for who in principals for name in _several(who.get("identifiers"))),
            bool(one.get("not_principals")),
            tuple((c["test"], c["variable"], _several(c["values"])) for c in one.get("condition") or []),
        )


def _of_json(owner: str, text: str) -> Iterator[Statement]:
    """From a policy as AWS keeps it."""
    try:
        policy = json.loads(text)
    except ValueError:
        return
    found = policy.get("Statement", []) if isinstance(policy, dict) else []
    for one in found if isinstance(found, list) else [found]:
        who = one.get("Principal", one.get("NotPrincipal", {}))
        by_type = {"*": who} if isinstance(who, str) else who
        yield Statement(
            owner,
            one.get("Sid", ""),
            one["Effect"],
            _several(one.get("Action")) or ("*",),
            _several(one.get("Resource")) or (("*",) if "NotResource" in one else ()),
            tuple((kind, name) for kind, names in by_type.items() for name in _several(names)),
            "NotPrincipal" in one,
            tuple(
                (test, variable, _several(values))
                for test, tested in one.get("Condition", {}).items()
                for variable, values in tested.items()
            ),
        )


def _same(one: Statement, other: Statement) -> bool:
    return (one.sid, one.effect, sorted(one.actions)) == (other.sid, other.effect, sorted(other.actions)) and sorted(
        name for _, name in one.principals
    ) == sorted(name for _, name in other.principals)
