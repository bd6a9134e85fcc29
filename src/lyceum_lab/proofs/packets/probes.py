"""Real connections between namespaces: TCP that is accepted, a datagram that is answered, or silence.

Everything listens on every port that is tried, so that what is not answered was dropped on its way. A probe asks from
both ends of the range out of which its host takes ports, and passes only if both are answered.
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.proofs.network.topology import PROTOCOLS

TCP, UDP = PROTOCOLS["tcp"], PROTOCOLS["udp"]
PATIENCE = 0.4  # seconds of silence that count as a refusal; an answer takes less than a thousandth
AT_ONCE = 1500  # sockets
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: end at once, so that the port is free for the next probe
_BUSY = {errno.EADDRINUSE, errno.EADDRNOTAVAIL}


@dataclass(frozen=True)
class Probe:
    """A connection to try: from an address in a namespace, out of each of `ports`, to a port of a target."""

    namespace: Namespace
    source: str
    ports: tuple[int, ...]
    target: str
    protocol: int
    port: int


@contextmanager
def listening(places: Mapping[Namespace, Sequence[str]], ports: Iterable[int]) -> Iterator[None]:
    """Answer on these ports at these addresses, by TCP and UDP, for the time of the block."""
    wanted = sorted(set(ports))
    selector = selectors.DefaultSelector()
    for namespace, addresses in places.items():
        for one in namespace.enter(lambda addresses=addresses: list(_listeners(addresses, wanted))):  # type: ignore[misc]
            selector.register(one, selectors.EVENT_READ)
    stop = threading.Event()
    thread = threading.Thread(target=_answer, args=(selector, stop), name="answers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        selector.close()


def _listeners(addresses: Sequence[str], ports: Sequence[int]) -> Iterator[socket.socket]:
    for address in addresses:
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                one = socket.socket(socket.AF_INET, kind)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.setblocking(False)
                one.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    one.listen(128)
                yield one


def _answer(selector: selectors.BaseSelector, stop: threading.Event) -> None:
    while not stop.is_set():
        for key, _ in selector.select(timeout=0.1):
            one = key.fileobj
            assert isinstance(one, socket.socket)  # noqa: S101 - nothing else was registered
            with suppress(OSError):
                if one.type == socket.SOCK_STREAM:
                    one.accept()[0].close()
                else:
                    data, who = one.recvfrom(64)
                    one.sendto(data, who)


def run(probes: Sequence[Probe], *, patience: float = PATIENCE) -> list[bool]:
    """Which of them pass, in their order; after `patience` seconds of silence a connection is taken to be dropped.

    A busy machine can be late: whoever expected an answer asks again, with more patience.
    """
    tries = [(index, port) for index, one in enumerate(probes) for port in one.ports]
    answered = [0] * len(probes)
    for begin in range(0, len(tries), AT_ONCE):
        for index in _batch(probes, tries[begin : begin + AT_ONCE], patience):
            answered[index] += 1
    return [count == len(one.ports) for count, one in zip(answered, probes, strict=True)]


def _batch(probes: Sequence[Probe], tries: Sequence[tuple[int, int]], patience: float) -> list[int]:
    by_place: dict[Namespace, list[tuple[int, int]]] = {}
    for index, port in tries:
        by_place.setdefault(probes[index].namespace, []).append((index, port))
    selector, answered = selectors.DefaultSelector(), list[int]()
    open_ = 0
    for namespace, mine in by_place.items():
        sockets = namespace.enter(lambda mine=mine: [(index, _ask(probes[index], port)) for index, port in mine])  # type: ignore[misc]
        for index, one in sockets:
            if one is not None:
                wait = selectors.EVENT_WRITE if one.type == socket.SOCK_STREAM else selectors.EVENT_READ
                selector.register(one, wait, index)
                open_ += 1
    deadline = time.monotonic() + patience
    while open_ and (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(timeout=left):
            asked = key.fileobj
            assert isinstance(asked, socket.socket)  # noqa: S101 - nothing else was registered
            if _came_through(asked):
                answered.append(key.data)
            selector.unregister(asked)
            asked.close()
            open_ -= 1
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
    return answered


def _ask(probe: Probe, port: int) -> socket.socket | None:
    """A socket on its way, or None when the kernel refused at once: no route."""
    kind = socket.SOCK_STREAM if probe.protocol == TCP else socket.SOCK_DGRAM
    one = socket.socket(socket.AF_INET, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setblocking(False)
    if kind == socket.SOCK_STREAM:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    try:
        one.bind((probe.source, port))
        one.connect((probe.target, probe.port))
        if kind == socket.SOCK_DGRAM:
            one.send(b"?")
    except BlockingIOError:
        return one
    except OSError as error:
        one.close()
        if error.errno in _BUSY:
            raise  # the machine's fault, and no verdict on the network
        return None
    return one


def _came_through(one: socket.socket) -> bool:
    if one.type == socket.SOCK_STREAM:
        return one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    try:
        return one.recv(64) == b"?"
    except OSError:
        return False
