"""Servers of the lab that pass bytes on: an event loop in a thread of its own, and one way to carry a stream."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

CHUNK = 256 * 1024
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Relay:
    """Serves sockets from `start` to `stop`. `first` is called in the thread before anything else is."""

    def __init__(self, name: str, first: Callable[[], None] = lambda: None) -> None:
        self._loop = asyncio.new_event_loop()
        self._first = first
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, serve: Serve, sockets: Iterable[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        """Let `serve` have each connection that comes to one of these sockets, which listen already."""
        self._thread.start()
        for one in sockets:
            asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, sock=one, ssl=tls), self._loop).result(10)

    def stop(self) -> None:
        """Serve no more; connections in use are cut, and what their servers started is ended."""
        if self._thread.is_alive():
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_end_others(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    def _run(self) -> None:
        self._first()
        self._loop.run_forever()


async def _end_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    before: Callable[[], Awaitable[None]] | None = None,
    *,
    closes: bool = True,
) -> None:
    """Pass on what comes until it ends, then (`closes`) end the other side. `before` is awaited before each piece."""
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            if before:
                await before()
            writer.write(chunk)
            await writer.drain()
    if closes:
        with suppress(OSError, RuntimeError):
            writer.close()
