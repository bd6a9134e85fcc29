"""What AWS documents of its actions: which resources each knows, which condition keys go with them, what else it needs.

actions.json is an extract of AWS's Service Authorization Reference; derive.py says from where and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("actions.json")


@dataclass(frozen=True)
class ResourceType:
    """One kind of resource that an action knows: the format of its ARN, and the keys that go with it in a request."""

    name: str
    arn: str
    required: bool
    keys: frozenset[str]  # lower case; one that ends in "/" stands for every tag
    tag_keys: bool  # whether the tags of the request are told with this resource


@dataclass(frozen=True)
class Action:
    """`types` is empty for an action that knows no resource: AWS holds it against "*"."""

    name: str
    types: tuple[ResourceType, ...]
    keys: frozenset[str]
    needs: tuple[str, ...]

    @property
    def service(self) -> str:
        return self.name.split(":")[0]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return table


def source() -> str:
    """Where the table is from."""
    return str(_table()["source"])


@cache
def names(prefix: str) -> tuple[str, ...]:
    """Every action that AWS documents of a service, such as `ec2:RunInstances`."""
    service = _table()["services"].get(prefix, {"actions": {}})
    return tuple(f"{prefix}:{operation}" for operation in service["actions"])


@cache
def find(name: str) -> Action | None:
    """The action of that name, such as `ec2:RunInstances`; None when AWS documents none (of the services kept here)."""
    prefix, _, operation = name.partition(":")
    service = _table()["services"].get(prefix)
    told = service["actions"].get(operation) if service else None
    if told is None:
        return None
    general = _keys(told["types"].get("", [0, []])[1])
    types = []
    for kind, (required, keys) in told["types"].items():
        if not kind:
            continue
        resource = service["resources"].get(kind, {"arn": "*", "keys": []})
        own = _keys(keys)
        # The list of a kind of resource names all its keys; the request's own tags go only where the action says so.
        of_kind = frozenset(
            key for key in _keys(resource["keys"]) if not key.startswith(("aws:requesttag", "aws:tagkeys"))
        )
        tagged = "aws:requesttag/" in own | general
        types.append(ResourceType(kind, resource["arn"], bool(required), own | general | of_kind, tagged))
    return Action(name, tuple(types), general, tuple(told.get("needs", ())))


@cache
def known() -> frozenset[str]:
    """Every action of the table."""
    return frozenset(
        f"{prefix}:{name}" for prefix, service in _table()["services"].items() for name in service["actions"]
    )


def _keys(names: list[str]) -> frozenset[str]:
    return frozenset(name.split("${")[0].lower() for name in names)
