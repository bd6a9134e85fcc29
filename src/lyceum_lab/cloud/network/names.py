"""The resolver: dnsmasq, once for the VPC at its own address and once for the internet.

AWS's names lead to the endpoints of this rehearsal; the database, the file system and the load balancer are known by
the names that the API tells. A name that nobody knows is refused: nothing is asked of the machine's own resolver. A
name that may lead elsewhere later is in a file of its own, which the resolver reads again on SIGHUP.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.network.vpc import SERVICES
from lyceum_ops.processes import die_with_parent


def aws_names(region: str) -> dict[str, str]:
    """Domains with all below them, and the address of whoever answers there."""
    return {
        "amazonaws.com": SERVICES["aws"],
        f"s3.{region}.amazonaws.com": SERVICES["s3"],
        "s3.amazonaws.com": SERVICES["s3"],
        f"dynamodb.{region}.amazonaws.com": SERVICES["dynamodb"],
        f"ddb.{region}.amazonaws.com": SERVICES["dynamodb"],
    }


def configuration(address: str, domains: Mapping[str, str], log: Path, moving: Path | None = None) -> str:
    """For dnsmasq, at one address. The longest domain that matches a name decides; `#` refuses all others."""
    lines = [
        "no-daemon", "no-resolv", "no-hosts", "no-poll", "bind-interfaces", "port=53", "user=root", "group=root",
        "pid-file=", "cache-size=0", f"listen-address={address}", f"log-facility={log}", "local=/#/",
        *(f"address=/{domain}/{to}" for domain, to in sorted(domains.items())),
        *([f"addn-hosts={moving}"] if moving else []),
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def write(moving: Path, hosts: Mapping[str, str]) -> None:
    """Let names lead to these addresses, once their resolver reads the file (again)."""
    half = moving.with_suffix(".part")
    half.write_text("".join(f"{address} {name}\n" for name, address in sorted(hosts.items())))
    half.replace(moving)


def start(
    namespace: Namespace,
    address: str,
    domains: Mapping[str, str],
    folder: Path,
    env: Mapping[str, str],
    moving: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Answer at an address of a namespace. Ends with this process."""
    name = f"dnsmasq-{address}"
    file, log = folder / f"{name}.conf", folder / f"{name}.log"
    file.write_text(configuration(address, domains, log, moving))
    return subprocess.Popen(
        [*namespace.prefix, "dnsmasq", f"--conf-file={file}"],
        env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),
    )  # fmt: skip
