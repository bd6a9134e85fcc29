"""AWS's endpoints as the VPC sees them: port 443 at their own names, TLS, and the emulator behind it.

The sockets listen in the namespace of the internet; what they pass on goes over this machine's loopback. Nothing is
read of what passes: which service is meant, and who asks, the emulator sees from the request.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from lyceum_lab.cloud.network.authority import Authority
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.relay import Relay, carry

# From here come requests of the network that is rehearsed: the emulator shows them AWS, and none of its own pages.
PASSED_ON = "127.0.0.2"


def names(region: str) -> list[str]:
    """What the certificate is good for."""
    return [
        f"*.{region}.amazonaws.com", f"*.s3.{region}.amazonaws.com", f"*.ddb.{region}.amazonaws.com",
        "*.amazonaws.com", "*.s3.amazonaws.com", f"*.dualstack.{region}.amazonaws.com",
    ]  # fmt: skip


class Endpoints:
    """Serves from `start` to `stop`, in a thread of its own."""

    def __init__(self, emulator: str, authority: Authority, region: str) -> None:
        where = urlsplit(emulator)
        self._to = (where.hostname or "127.0.0.1", where.port or 80)
        certificate, key = authority.issue("aws-endpoints", names(region))
        self._tls = _context(certificate, key)
        self._relay = Relay("endpoints")

    def start(self, namespace: Namespace, addresses: Iterable[str]) -> None:
        """Listen on port 443 of these addresses in a namespace. Raises OSError when one is taken."""
        there = list(addresses)
        sockets = namespace.enter(lambda: [socket.create_server((one, 443), backlog=256) for one in there])
        self._relay.start(self._serve, sockets, self._tls)

    def stop(self) -> None:
        """Close everything; connections in use are cut."""
        self._relay.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._to, local_addr=(PASSED_ON, 0))
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, back_writer), carry(back_reader, writer))


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
