"""What a rehearsal shows of itself: the address, the accounts, and what exists in the emulated AWS by service."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from lyceum_lab import paths
from lyceum_lab.emulator.pages import page
from lyceum_lab.rehearsal import state
from lyceum_lab.rehearsal.state import State
from lyceum_ops import processes
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError, Usage


def resources(endpoint: str) -> dict[str, dict[str, int]]:
    """Counts by service and type of what exists in the emulated AWS, asked of the emulator itself."""
    try:
        found: dict[str, dict[str, int]] = page(endpoint, "/_lyceum/resources")
        return found
    except (OSError, ValueError) as error:
        raise LyceumError(
            f"The emulated AWS at {endpoint} does not answer ({error}).", "End the rehearsal with ./lyceum down."
        ) from error


def as_json(there: State) -> dict[str, Any]:
    """The state, the resources and the memory of the platform, for programs."""
    found = asdict(there)
    found["resources"] = resources(there.emulator) if there.emulator else {}
    found["platform_pss_mib"] = round(processes.pss_mib(there.pids["platform"])) if "platform" in there.pids else None
    found["logs"] = str(paths.REHEARSAL / "logs")
    return found


def show(there: State) -> None:
    """Print the state for people."""
    if there.phase != "ready":
        out.print(f"Starting for {time.time() - there.started:.0f} s; {there.infrastructure}.")
    # Plain lines: a table that is cut to a narrow terminal would cut the passwords.
    if there.url:
        out.print(f"[bold]Lyceum answers at {there.url}[/bold]")
        for account in there.accounts:
            out.print(f"  {account.role:13}  {account.email:28}  {account.password}")
    if there.cloud:
        _show_cloud(there.cloud)
    if there.emulator and (found := resources(there.emulator)):
        out.print(f"[bold]In the emulated AWS at {there.emulator}[/bold]")
        for service, kinds in sorted(found.items()):
            out.print(f"  {service:20}  {', '.join(_counted(n, kind) for kind, n in sorted(kinds.items()))}")
    if there.phase == "ready":
        memory = ""
        if "platform" in there.pids:
            memory = f"; the platform uses {processes.pss_mib(there.pids['platform']):.0f} MiB PSS"
        out.print(f"Infrastructure {there.infrastructure}, {there.seconds:.0f} s{memory}.")
        out.print("./lyceum status, ./lyceum logs; ./lyceum down (or Ctrl-C where it runs) ends it and keeps nothing.")


def watch() -> None:
    """Show the hosts and servers of the rehearsal that runs once a second, until it ends or Ctrl-C.

    Raises Usage where there is no terminal to draw on.
    """
    if not out.is_terminal:
        raise Usage("--watch needs a terminal.", "For a program: ./lyceum status --json, as often as you like.")
    with suppress(KeyboardInterrupt):
        while there := state.running():
            out.clear()
            out.print(f"[bold]{time.strftime('%H:%M:%S')}[/bold]  {there.phase}  {there.url}")
            if there.cloud:
                _show_cloud(there.cloud)
            time.sleep(1)


def _show_cloud(cloud: dict[str, Any]) -> None:
    """The hosts, and which server is in what state."""
    out.print(f"  by way of the HTTP proxy {cloud['proxy']}; its certificates are of {cloud['authority']}")
    out.print("[bold]On this machine[/bold]")
    for name, one in sorted(cloud["hosts"].items()):
        server = cloud["servers"].get(name)
        more = f"{server['health']}, memory {server['memory_percent']} %" if server else ""
        out.print(f"  {name:28}  {one['address']:15}  {one['zone']:12}  {more}".rstrip(), markup=False)
    out.print(f"  shared files: {cloud['files']}; what AWS waits for is divided by {cloud['scale']:g}")
    if "standby" in cloud["database"]:
        _show_pair(cloud["database"])
    for event in cloud["events"][-8:]:
        out.print(f"  {event}", markup=False)
    if cloud["trouble"]:
        out.print(f"  trouble: {cloud['trouble']}", markup=False)


def _show_pair(database: dict[str, Any]) -> None:
    """Which zone's database serves, and how its standby is."""
    standby = (
        f"its standby in {database['standby']} is {database['state']}" if database["standby"] else "no standby yet"
    )
    out.print(f"  database: {database['zone']} serves, {standby}")
    for event in database["events"][-4:]:
        out.print(f"  {event}", markup=False)


def _counted(number: int, kind: str) -> str:
    if number == 1:
        return f"1 {kind}"
    if kind.endswith("y") and kind[-2] not in "aeou":
        return f"{number} {kind[:-1]}ies"
    return f"{number} {kind}{'es' if kind.endswith('s') else 's'}"
