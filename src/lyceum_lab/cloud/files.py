"""The shared file system: one folder, served at each mount target on TCP 2049, with a switch that slows or hangs it.

OpenSSH's sftp-server stands for NFS, which the kernel of a container need not have; sshfs on the servers is its client
(standins/mount.efs). Every request crosses the network, and everybody is one user, as behind an access point.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.relay import Relay, carry
from lyceum_ops.errors import MissingTool, Usage
from lyceum_ops.processes import die_with_parent

PORT = 2049
# `nobody`: sftp-server runs only as a user that this machine knows. The client shows everything as the servers' own.
OWNER = pwd.getpwnam("nobody").pw_uid
GROUP = pwd.getpwnam("nobody").pw_gid
SLOW_SECONDS = 0.5  # for each piece of what passes
PLACES = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")
MODES = ("well", "slow", "hung")
# The folder may lie below one that only root may enter: whoever serves it sees it at a place of its own.
_SERVE = """mount --bind "$1" /mnt
cd /mnt
exec setpriv --reuid="$2" --regid="$3" --clear-groups --no-new-privs "$4" -e -d /mnt -u 0027
"""


def server() -> str:
    """The sftp-server of this machine. Raises MissingTool when there is none."""
    found = next((place for place in PLACES if os.access(place, os.X_OK)), None) or shutil.which("sftp-server")
    if not found:
        raise MissingTool("sftp-server is not here.", "Install it: apt-get install openssh-sftp-server.")
    return found


def require_mode(mode: str) -> str:
    """The same. Raises Usage for what is none."""
    if mode not in MODES:
        raise Usage(f"The shared files cannot be {mode!r}.", f"They can be: {', '.join(MODES)}.")
    return mode


class SharedFiles:
    """Serves `folder` from `start` to `stop`, in a thread of its own. `switch` changes how it behaves at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, OWNER, GROUP)
        folder.chmod(0o750)
        self.folder, self.mode = folder, "well"
        self._program = server()
        self._relay = Relay("files")

    def start(self, targets: Iterable[tuple[Namespace, str]]) -> None:
        """Listen at these mount targets: an address in a namespace each."""
        sockets = [
            namespace.enter(lambda address=address: socket.create_server((address, PORT)))  # type: ignore[misc]
            for namespace, address in targets
        ]
        self._relay.start(self._serve, sockets)

    def switch(self, mode: str) -> None:
        """From now on it goes well, slow or is hung. Raises Usage for anything else."""
        self.mode = require_mode(mode)

    def stop(self) -> None:
        """Serve no more."""
        self._relay.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _SERVE, "sh",
             str(self.folder), str(OWNER), str(GROUP), self._program],
            stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            preexec_fn=die_with_parent(signal.SIGTERM),
        )  # fmt: skip
        theirs.close()
        back_reader, back_writer = await asyncio.open_connection(sock=ours)
        try:
            await asyncio.gather(carry(reader, back_writer, self._pause), carry(back_reader, writer, self._pause))
        finally:
            back_writer.close()
            writer.close()
            process.kill()
            process.wait()

    async def _pause(self) -> None:
        if self.mode == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        while self.mode == "hung":
            await asyncio.sleep(0.05)
