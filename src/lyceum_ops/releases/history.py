"""`./lyceum releases`: what ran when, which is live, under whose identity, and what could be released."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Any

from rich.table import Table

from lyceum_ops.console import out
from lyceum_ops.releases.ledger import ENDS, FAILED, LIVE, Entry
from lyceum_ops.releases.release import Production
from lyceum_ops.releases.servers import Refresh


def history(production: Production, *, limit: int = 20) -> dict[str, Any]:
    """The environment's releases, the newest first, as plain data."""
    group = production.servers.group()
    live = production.live(group)
    refreshes = production.servers.refreshes()
    holder = production.lock.holder()
    entries = [
        {**asdict(entry), "outcome": entry.outcome or _outcome(entry, refreshes)}
        for entry in islice(production.ledger.newest_first(), limit)
    ]
    current = next(
        (entry["id"] for entry in entries if entry["outcome"] == LIVE and entry["version"] == live.number), ""
    )
    return {
        "environment": production.environment,
        "live": {"release": live.release, "version": live.number, "image": live.image, "runs": group.running()},
        "under_way": next((str(one) for one in refreshes if one.active), ""),
        "held_by": str(holder) if holder else "",
        "entries": [{**entry, "is_live": entry["id"] == current} for entry in entries],
        "published": production.published.versions(),
    }


def _outcome(entry: Entry, refreshes: list[Refresh]) -> str:
    """How what was cut off from its command ended, as AWS remembers it."""
    found = next((one for one in refreshes if one.target == entry.version), None)
    if found is None:
        return "not begun"
    return "under way" if found.active else ENDS.get(found.status, FAILED)


def show(production: Production, *, limit: int = 20) -> None:
    """Print it."""
    found = history(production, limit=limit)
    live = found["live"]
    out.print(f"{production.environment} runs {live['release']}: {live['runs']}, image {live['image']}", markup=False)
    for what in ("under_way", "held_by"):
        if found[what]:
            out.print(f"{what.replace('_', ' ')}: {found[what]}", markup=False)
    table = Table("", "when (UTC)", "what", "release", "template", "before", "outcome", "by")
    for entry in found["entries"]:
        table.add_row(
            "live" if entry["is_live"] else "", f"{entry['at'][:19].replace('T', ' ')}", entry["kind"],
            entry["release"], str(entry["version"]), entry["before"], entry["outcome"], entry["identity"],
        )  # fmt: skip
    out.print(table) if found["entries"] else out.print("Nothing was released yet.")
    out.print(f"published: {', '.join(found['published'][-12:]) or 'nothing'}", markup=False)
