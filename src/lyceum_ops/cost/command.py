"""`./lyceum cost`: what an environment costs, under a load, and what a plan changes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from lyceum_ops.cost import prices as table
from lyceum_ops.cost import show
from lyceum_ops.cost.estimate import Difference, estimate
from lyceum_ops.cost.inventory import FOLDER, RENEW, Inventory, before_plan, inventories, of_plan, read
from lyceum_ops.cost.load import LOADS, Load
from lyceum_ops.errors import LyceumError, Usage

LEARNERS, HOURS = 500, 10.0  # where only the other one is given


def loads(learners: int | None, hours: float | None, assume: list[str]) -> list[Load]:
    """The load that is asked for, or the two that are shown when none is. Raises Usage for what cannot be."""
    changed = {}
    for word in assume:
        name, equals, value = word.partition("=")
        if not equals:
            raise Usage(f"--assume takes name=value; got {word!r}.")
        changed[name] = value
    if learners is None and hours is None:
        return [Load.of(one.learners, one.hours, changed) for one in LOADS]
    return [Load.of(LEARNERS if learners is None else learners, HOURS if hours is None else hours, changed)]


def kept(checkout: Path) -> dict[str, Inventory]:
    """The inventories of this checkout. Raises LyceumError when there is none."""
    found = inventories(checkout / FOLDER)
    if not found:
        raise LyceumError(f"{FOLDER} holds no inventory.", f"Make them: {RENEW}.")
    return found


def run(checkout: Path, environment: str, *, asked: list[Load], plan: Path | None = None, as_json: bool = False,
        say: Callable[[str], None] = print) -> int:  # fmt: skip
    """Print the estimate. Returns the exit code: 1 when something was not counted."""
    prices, known = table.table(), kept(checkout)
    if environment not in known:
        raise Usage(f"There is no environment named {environment!r}.", f"There are: {', '.join(known)}.")
    change = None
    inventory = known[environment]
    if plan:
        shown = read(plan)
        inventory = of_plan(shown)
        if inventory.environment not in ("", environment):
            raise Usage(f"{plan} is of {inventory.environment}, and {environment} is asked for.", "Name the right one.")
        if "planned_values" in shown:
            before = before_plan(shown)
            change = Difference(estimate(before, asked[-1], prices), estimate(inventory, asked[-1], prices))
    found = [estimate(inventory, load, prices) for load in asked]
    if as_json:
        say(json.dumps(show.as_json(found, change), indent=1))
    else:
        for line in show.text(found, prices):
            say(line)
        if change:
            say("")
            for line in show.difference_text(change):
                say(line)
    return 1 if inventory.unknown else 0


def write(checkout: Path) -> list[Path]:
    """Write docs/cost.md and the README's table. Returns what changed."""
    changed = []
    for file, whole in show.documents(checkout, kept(checkout), table.table()).items():
        if not file.exists() or file.read_text() != whole:
            file.write_text(whole)
            changed.append(file)
    return changed
