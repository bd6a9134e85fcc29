"""How many packets each rule has decided, as the kernel counts them in every filter of a rehearsal's network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_ops.errors import CommandFailed


@dataclass(frozen=True)
class Counted:
    """One rule by its label, over all filters that hold it, since each of them was loaded."""

    rule: str
    lets_pass: bool
    packets: int
    bytes: int


def read(names: Iterable[str]) -> list[Counted]:
    """Every rule in the filters of these namespaces, most packets first. Raises CommandFailed."""
    found: dict[tuple[str, bool], tuple[int, int]] = {}
    for name in names:
        for rule, lets_pass, packets, size in _rules(name):
            before = found.get((rule, lets_pass), (0, 0))
            found[rule, lets_pass] = (before[0] + packets, before[1] + size)
    counted = [Counted(*key, *value) for key, value in found.items()]
    return sorted(counted, key=lambda one: (-one.packets, one.rule))


def _rules(name: str) -> Iterable[tuple[str, bool, int, int]]:
    argv = [*Namespace(name).prefix, "nft", "--json", "list", "ruleset"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[0]
        raise CommandFailed(f"nft said in {name}: {said}")
    for entry in json.loads(done.stdout)["nftables"]:
        rule = entry.get("rule", {})
        count = next((part["counter"] for part in rule.get("expr", ()) if "counter" in part), None)
        if count is not None and "comment" in rule:
            yield rule["comment"], any("accept" in part for part in rule["expr"]), count["packets"], count["bytes"]
