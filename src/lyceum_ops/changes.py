"""What a saved plan would do, told by address, the worst first: data that would be lost, then what is replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape

# Terraform's own words for what it does with one resource, where that is one action.
ACTIONS = {"create": "create", "update": "update", "delete": "destroy", "forget": "forget"}
# What cannot be made again by an apply, by Terraform's type.
DATA = {
    "aws_backup_vault": "backup vault",
    "aws_db_instance": "database",
    "aws_dynamodb_table": "table",
    "aws_efs_file_system": "file system",
    "aws_kms_key": "key, and with it what it encrypted",
    "aws_rds_cluster": "database",
    "aws_s3_bucket": "bucket",
}
ORDER = ("destroy", "replace", "forget", "update", "import", "create")
SIGN = {"destroy": "-", "replace": "±", "forget": "×", "update": "~", "import": "←", "create": "+"}
COLOUR = {
    "destroy": "red",
    "replace": "yellow",
    "forget": "yellow",
    "update": "cyan",
    "import": "cyan",
    "create": "green",
}


@dataclass(frozen=True)
class Change:
    """One resource that a plan would touch; `because` names the arguments that force a replacement."""

    address: str
    type: str
    action: str
    because: str = ""

    @property
    def loses(self) -> str:
        """The data that would be gone, "" for none."""
        return DATA.get(self.type, "") if self.action in {"destroy", "replace"} else ""


@dataclass(frozen=True)
class Plan:
    """A plan in a file, and what it would do. `empty` also means that no output would change."""

    file: Path
    changes: tuple[Change, ...]
    empty: bool
    shown: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as Terraform tells it

    @classmethod
    def read(cls, file: Path, shown: dict[str, Any]) -> Plan:
        """From Terraform's JSON representation of the plan in `file`."""
        changes = [change for item in shown.get("resource_changes", []) if (change := _change(item))]
        changes.sort(key=lambda one: (not one.loses, ORDER.index(one.action), one.address))
        outputs = any(item["actions"] != ["no-op"] for item in shown.get("output_changes", {}).values())
        empty = not (shown.get("applyable", bool(changes)) or changes or outputs)
        return cls(file, tuple(changes), empty, shown)

    @property
    def lost(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.loses)

    def counts(self) -> str:
        """As "3 to create, 1 to replace"."""
        count = Counter(change.action for change in self.changes)
        return ", ".join(f"{count[a]} to {a}" for a in reversed(ORDER) if count[a]) or "no resource changes, outputs do"

    def lines(self) -> list[str]:
        """One line a change, with the console's markup."""
        return [_line(change) for change in self.changes]


def resources(module: Mapping[str, Any], *, mode: str = "") -> Iterator[dict[str, Any]]:
    """Each resource of a module and of those within it, as Terraform's JSON has them; `managed` or `data` alone."""
    yield from (one for one in module.get("resources", []) if mode in {"", one.get("mode")})
    for child in module.get("child_modules", []):
        yield from resources(child, mode=mode)


def _change(item: dict[str, Any]) -> Change | None:
    change, actions = item["change"], item["change"]["actions"]
    if item.get("mode") != "managed":
        return None
    if change.get("importing") and actions == ["no-op"]:
        action = "import"
    elif "create" in actions and "delete" in actions:
        action = "replace"
    elif (found := ACTIONS.get(actions[0])) is None:
        return None
    else:
        action = found
    because = ""
    if action == "replace":
        paths = [".".join(map(str, path)) for path in change.get("replace_paths", [])]
        reason = str(item.get("action_reason", "")).removeprefix("replace_").replace("_", " ")
        because = f"because of {', '.join(paths)}" if paths else reason
    deposed = f" (deposed {item['deposed']})" if item.get("deposed") else ""
    return Change(item["address"] + deposed, item["type"], action, because)


def _line(change: Change) -> str:
    colour = COLOUR[change.action]
    text = f"  [{colour}]{SIGN[change.action]} {change.action:<8}[/{colour}] {escape(change.address)}"
    if change.because:
        text += f"  {escape(change.because)}"
    if change.loses:
        text += f"  [bold white on red] DATA IS LOST: {change.loses} [/bold white on red]"
    return text
