"""What a rehearsal of the cloud leaves when it is killed: machines with their control groups, network namespaces.

All of it is found by the name of its folder; nothing that somebody else made is touched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lyceum_lab.cloud.network import namespaces, vpc
from lyceum_lab.cloud.servers import machine
from lyceum_ops.errors import LyceumError


def clean(folder: Path) -> int:
    """Remove what a rehearsal in this folder left. Returns how many processes were ended.

    Raises LyceumError when there is something, and no right to remove it.
    """
    if not sys.platform.startswith("linux"):
        return 0
    key, servers = namespaces.key(folder), folder / "servers"
    if not namespaces.left(key) and not servers.is_dir():
        return 0
    if os.geteuid() != 0:
        raise LyceumError("A rehearsal of the cloud, which root started, left network namespaces behind.",
                          "Remove them: sudo ./lyceum down.")  # fmt: skip
    ended = machine.clean(servers)
    vpc.clean(key)
    return ended
