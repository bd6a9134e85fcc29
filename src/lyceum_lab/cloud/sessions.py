"""Session Manager's agent on the rehearsed bastion: what a session forwards leaves from inside the bastion's network.

AWS carries a session over channels of its own; here the plugin's stand-in (standins/session-manager-plugin) speaks to
this over the loopback. Whether a connection comes about is decided where it is on AWS: by the packets' way from the
bastion to the host that the session's document names. A session that the emulator does not know opens nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.relay import Relay, carry
from lyceum_lab.emulator.pages import page

PATIENCE = 5.0  # seconds until a host that says nothing counts as unreachable


class Agent:
    """Serves from `start` to `stop`, in a thread of its own. `emulator` is the API's address on this machine.

    `names` are what the VPC's resolver knows of the VPC's own hosts.
    """

    def __init__(self, target: str, namespace: Namespace, names: Mapping[str, str], emulator: str) -> None:
        self._target, self._namespace, self._names, self._emulator = target, namespace, names, emulator
        self._relay = Relay("bastion")

    def start(self) -> None:
        """Take sessions, and report in. Raises OSError when the emulator is not there."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._relay.start(self._serve, [listening])
        self._say({"target": self._target, "stream": f"tcp://127.0.0.1:{listening.getsockname()[1]}"})

    def stop(self) -> None:
        """Take no more; what is open is cut."""
        self._relay.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever speaks otherwise than the stand-in gets no answer.
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            word, session, token = (await asyncio.wait_for(reader.readline(), PATIENCE)).decode().split()
            told = await asyncio.to_thread(self._find, session, token)
            if told is None:
                writer.write(b"REFUSED\n")
            elif word == "END":
                await asyncio.to_thread(self._say, {"ended": session})
                writer.write(b"ENDED\n")
            else:
                await self._forward(told, reader, writer)
        with suppress(OSError):
            writer.close()

    async def _forward(
        self, told: Mapping[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        where = (self._names.get(told["host"], told["host"]), int(told["port"]))
        try:
            made = await asyncio.to_thread(self._namespace.enter, lambda: socket.create_connection(where, PATIENCE))
        except OSError:
            writer.write(b"UNREACHABLE\n")
            await writer.drain()
            return
        there_reader, there_writer = await asyncio.open_connection(sock=made)
        writer.write(b"OPEN\n")
        await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))

    def _find(self, session: str, token: str) -> Mapping[str, Any] | None:
        for one in self._say(None)["sessions"]:
            if one["id"] == session and one["target"] == self._target and hmac.compare_digest(one["token"], token):
                return dict(one)
        return None

    def _say(self, what: Mapping[str, str] | None) -> Any:
        """Tell the emulator something, or nothing, and hear which sessions are open."""
        return page(self._emulator, "/_lyceum/sessions", what, timeout=10)
