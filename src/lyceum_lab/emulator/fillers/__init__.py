"""What moto lacks, filled in at the wire, one module per AWS service, each entry with its reason.

    guard    looks at a call before moto does and may refuse it (raises ApiError)
    stub     answers instead of moto, which has no such operation or a useless one
    note     remembers something of a call that moto answered with success
    edit     corrects moto's successful answer; returns whether it changed anything
    overlay  remembers fields of write operations and shows them in read operations (a note and an edit in one)

A stub or an overlay echoes what was sent. That is enough for Terraform to go on, and proves nothing about AWS.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lyceum_lab.emulator.wire import Call, dig

Function = Callable[..., Any]

# In place of operations, for a guard: every operation that AWS authenticates, also one without a name.
EVERY = "*"


@dataclass
class Entry:
    """One filler: for which operations of which service, of which kind, why, and how often it was used.

    `echoes` are the fields of an answer that repeat what was sent: an empty plan proves nothing about them.
    `needed_by` says whose calls it completes; `./lyceum prove apply` wants each of Terraform's used.
    """

    service: str
    kind: str
    operations: tuple[str, ...]
    because: str
    function: Function = field(repr=False)
    echoes: tuple[str, ...] = ()
    needed_by: str = "terraform"
    used: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "kind": self.kind,
            "operations": list(self.operations),
            "because": self.because,
            "echoes": list(self.echoes),
            "needed_by": self.needed_by,
            "used": self.used,
        }


_entries: list[Entry] = []
_by_call: dict[tuple[str, str, str], list[Entry]] = {}


class Service:
    """The fillers of one service, by its signing name, and the memory they share. `needed_by` as in `Entry`."""

    def __init__(self, name: str, *, needed_by: str = "terraform") -> None:
        self.name = name
        self.needed_by = needed_by
        self.memory: dict[str, dict[Any, Any]] = {}

    def table(self, name: str) -> dict[Any, Any]:
        """A named dictionary of this service that lives as long as the process."""
        return self.memory.setdefault(name, {})

    def guard(self, *operations: str, because: str) -> Callable[[Function], Function]:
        """`function(call)` may raise ApiError. `EVERY` guards all operations but a browser's preflight."""
        return self._register("guard", operations, because)

    def stub(self, *operations: str, because: str) -> Callable[[Function], Function]:
        """`function(call)` returns the operation's result, or a whole answer (status, headers, body)."""
        return self._register("stub", operations, because)

    def note(self, *operations: str, because: str) -> Callable[[Function], Function]:
        """`function(call, result)` remembers what it needs."""
        return self._register("note", operations, because)

    def edit(self, *operations: str, because: str) -> Callable[[Function], Function]:
        """`function(call, result)` changes the result in place and returns whether it did."""
        return self._register("edit", operations, because)

    def overlay(
        self,
        *,
        written_by: Iterable[str],
        key: str,
        fields: Mapping[str, str],
        read_by: Iterable[str],
        at: str,
        because: str,
        result_key: str = "",
    ) -> Mapping[Any, dict[str, Any]]:
        """Show request `fields` (name in the request → name in the result) in the items at the path `at`.

        `key` names what identifies the object in the request, `result_key` in the items (the same by default).
        Returns what is remembered, by that key.
        """
        remembered = self.table(f"overlay {at} {','.join(fields)}")

        def note(call: Call, _: dict[str, Any]) -> None:
            sent = {shown: call.parameters[name] for name, shown in fields.items() if name in call.parameters}
            remembered.setdefault(call.parameters.get(key), {}).update(sent)

        def show(_: Call, result: dict[str, Any]) -> bool:
            changed = False
            for item in dig(result, at):
                for name, value in remembered.get(item.get(result_key or key), {}).items():
                    changed = changed or item.get(name) != value
                    item[name] = value
            return changed

        self._register("note", tuple(written_by), because)(note)
        echoes = tuple(f"{at}.{shown}" for shown in fields.values())
        self._register("edit", tuple(read_by), because, echoes)(show)
        return remembered

    def _register(
        self, kind: str, operations: tuple[str, ...], because: str, echoes: tuple[str, ...] = ()
    ) -> Callable[[Function], Function]:
        def decorate(function: Function) -> Function:
            entry = Entry(self.name, kind, operations, because, function, echoes, self.needed_by)
            _entries.append(entry)
            for operation in operations:
                _by_call.setdefault((self.name, operation, kind), []).append(entry)
            return function

        return decorate


def entries() -> list[Entry]:
    """Every filler, in the order of their files."""
    return list(_entries)


def guards(call: Call) -> list[Entry]:
    of_all = [] if call.operation == "Preflight" else _by_call.get((call.service, EVERY, "guard"), [])
    return [*of_all, *_by_call.get((call.service, call.operation, "guard"), [])]


def stub(call: Call) -> Entry | None:
    found = _by_call.get((call.service, call.operation, "stub"))
    return found[-1] if found else None


def notes(call: Call) -> list[Entry]:
    return _by_call.get((call.service, call.operation, "note"), [])


def edits(call: Call) -> list[Entry]:
    return _by_call.get((call.service, call.operation, "edit"), [])


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
