"""Going to a host of the running rehearsal: a command on a server, in the network of any other host, or a browser."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from lyceum_lab import paths
from lyceum_lab.cloud import site
from lyceum_lab.cloud.files import require_mode
from lyceum_lab.cloud.network import counters, namespaces
from lyceum_lab.cloud.servers import cgroups, machine
from lyceum_lab.rehearsal import state
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError, Usage

SWITCH = "files-mode"  # a file of the rehearsal's: how the shared files behave


def run(host: str, command: list[str]) -> int:
    """Run a command at this terminal: on a server as its root, elsewhere in the host's network. Returns its code.

    Raises Usage for a host that is not there, LyceumError when no rehearsal of the cloud runs.
    """
    hosts = running()["hosts"]
    if host not in hosts:
        raise Usage(f"There is no host named {host!r}.", f"There are: {', '.join(sorted(hosts))}.")
    if os.geteuid() != 0:
        raise LyceumError("Only root may enter a host.", "Run it with sudo.")
    if (paths.REHEARSAL / "servers" / host).is_dir():
        servers = paths.REHEARSAL / "servers"
        argv = machine.inside(servers, host, *command)
        # What it takes of CPU and memory is the server's.
        return subprocess.run(argv, preexec_fn=cgroups.Groups.of(servers, host).join, check=False).returncode
    found = hosts[host]
    prefix = ["nsenter", f"--net={found['namespace']}", "--"]
    argv = site.resolving(prefix, found["resolver"], paths.REHEARSAL, command)
    # What this machine knows of proxies is not there.
    env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return subprocess.run(argv, env=env, check=False).returncode


def set_files(mode: str) -> None:
    """Let the shared files go well, slow or hung. Raises Usage for anything else."""
    running()
    half = paths.REHEARSAL / f".{SWITCH}"
    half.write_text(require_mode(mode))
    half.replace(paths.REHEARSAL / SWITCH)


def show_flows(*, as_json: bool = False, watch: bool = False) -> None:
    """Print the packets that each rule has let pass or refused; with `watch` once a second, until Ctrl-C.

    Raises LyceumError when no cloud is rehearsed or the caller is not root, Usage for a watch without a terminal.
    """
    running()
    if os.geteuid() != 0:
        raise LyceumError("Only root may ask the kernel what its filters counted.", "Run it with sudo.")
    if watch and (as_json or not out.is_terminal):
        raise Usage("--watch needs a terminal.", "For a program: ./lyceum status --flows --json, as often as you like.")
    prefix = namespaces.key(paths.REHEARSAL)
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in counters.read(namespaces.left(prefix))]))
        return
    with suppress(KeyboardInterrupt):
        while True:
            found = counters.read(namespaces.left(prefix))
            if watch:
                out.clear()
            for one in found:
                if one.packets:
                    verb = "passed" if one.lets_pass else "[bold red]refused[/]"
                    out.print(f"{one.packets:9,}  {verb:7}  {one.rule}", highlight=False)
            idle = sum(not one.packets for one in found)
            out.print(f"{len(found)} rules, {idle} of them without a packet since they were loaded.")
            if not watch:
                return
            time.sleep(1)


def running() -> dict[str, Any]:
    """What the rehearsal of the cloud that runs says of its hosts. Raises LyceumError when there is none."""
    there = state.running()
    if there is None or not there.cloud:
        said = "The rehearsal that runs has no hosts." if there else "No rehearsal runs."
        raise LyceumError(said, "Start one with ./lyceum rehearse.")
    return there.cloud
