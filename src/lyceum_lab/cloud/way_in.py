"""The way into the rehearsed internet from this machine: an HTTP proxy on the loopback, for a browser or a tool.

Who asks through it is an outsider at one address (an operator's, so that an environment without a domain answers). It
knows the names that the rehearsal's own resolver knows, and leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from lyceum_lab.cloud.network.namespaces import Namespace, enter_for_good
from lyceum_lab.cloud.relay import Relay, carry


class WayIn:
    """Serves from `start` to `stop`, in a thread of its own that is on the internet of the rehearsal."""

    def __init__(self, namespace: Namespace, address: str, names: Mapping[str, str]) -> None:
        self._address, self._names = address, names
        self._relay = Relay("way in", lambda: enter_for_good(namespace))

    def start(self, port: int) -> None:
        """Listen on a port of 127.0.0.1. Raises OSError when it is taken."""
        self._relay.start(self._serve, [socket.create_server(("127.0.0.1", port))])

    def stop(self) -> None:
        """Listen no more."""
        self._relay.stop()

    def _find(self, host: str) -> str | None:
        """The longest domain of ours that the name lies in, as a resolver finds it."""
        parts = host.lower().rstrip(".").split(".")
        for begin in range(len(parts)):
            if found := self._names.get(".".join(parts[begin:])):
                return found
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is no request gets no answer.
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            where = urlsplit(f"//{target}" if method == "CONNECT" else target)
            address = self._find(where.hostname or "")
            if not address:
                said = f"This way leads to the rehearsal only, and {where.hostname or target} is not in it.\n".encode()
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                             b"Content-Length: %d\r\n\r\n%b" % (len(said), said))  # fmt: skip
                await writer.drain()
            elif method == "CONNECT":
                there = await self._open(address, where.port or 443)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _both(reader, writer, *there)
            else:
                await self._pass_on(head, reader, writer, address, where.port or 80)
        writer.close()

    async def _open(self, address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(address, port, local_addr=(self._address, 0))

    async def _pass_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int
    ) -> None:
        """One request a connection: a proxy's form of the address becomes a server's."""
        first, rest = head.split(b"\r\n", 1)
        method, target, version = first.split(b" ", 2)
        parts = urlsplit(target.decode("latin-1"))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [
            line for line in rest.split(b"\r\n")
            if line and not line.lower().startswith((b"connection:", b"proxy-", b"keep-alive:"))
        ]  # fmt: skip
        there_reader, there_writer = await self._open(address, port)
        there_writer.write(
            b" ".join((method, path.encode("latin-1"), version))
            + b"\r\n"
            + b"".join(line + b"\r\n" for line in kept)
            + b"Connection: close\r\n\r\n"
        )
        await _both(reader, writer, there_reader, there_writer)


async def _both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there_reader: asyncio.StreamReader,
    there_writer: asyncio.StreamWriter,
) -> None:
    onward = asyncio.ensure_future(carry(reader, there_writer, closes=False))
    await carry(there_reader, writer)
    onward.cancel()
    there_writer.close()
