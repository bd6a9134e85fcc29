"""Tiny servers on 127.0.0.x behind a real haproxy, set up as the load balancer of `infra/modules/load-balancer` is."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import emulator, start_emulator

from lyceum_lab.cloud.balancer.described import Balancer, Forward, HealthCheck, Listener, TargetGroup
from lyceum_lab.cloud.balancer.haproxy import LoadBalancer, Place

__all__ = ["emulator", "start_emulator"]

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/servers/1"


def free_port(address: str = "127.0.0.1") -> int:
    """A free port below those that the kernel gives to clients: haproxy opens many connections of its own."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex((address, port)) != 0:
                return port
    raise AssertionError("a hundred ports are taken")


def until(what: Callable[[], Any], seconds: float = 60, told: Callable[[], Any] = str) -> Any:
    """The first true answer, within `seconds`; `told` says what was, when there is none."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"it did not come to pass: {told()}"
        time.sleep(0.02)
    return found


@dataclass
class Server:
    """An app server: answers who it is, as healthy as it is told to be."""

    address: str
    port: int = 0
    healthy: bool = True
    status: int = 200
    slow: float = 0.0
    # Seconds after which it has closed an idle connection, whatever is under way to it.
    keep_alive: float = 3600.0
    seen: list[dict[str, str]] = field(default_factory=list)
    checks: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0

    def start(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.last = time.monotonic()
                self.first = True

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                if self.path == "/healthz":
                    server.checks.append(headers)
                    self.answer(200 if server.healthy else 503, b"checked")
                    return
                if self.first:
                    server.connections += 1
                elif time.monotonic() - self.last >= server.keep_alive:
                    self.close_connection = True  # the request and the end of the connection cross on their way
                    return
                self.first = False
                server.seen.append({"path": self.path, **headers})
                time.sleep(server.slow)
                self.answer(server.status, server.address.encode())
                self.last = time.monotonic()

            do_POST = do_GET  # noqa: N815

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

        self._http = ThreadingHTTPServer((self.address, self.port or free_port(self.address)), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@dataclass
class Visitor:
    """A client that keeps its connection, as a browser does; never repeats a request."""

    port: int
    statuses: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, path: str = "/", **headers: str) -> tuple[int, str]:
        """Status and body, also counted. A connection that is closed instead of an answer is status 0."""
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            self.connection.request("GET", path, headers=sent)
            answer = self.connection.getresponse()
            status, body = answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            status, body = 0, type(error).__name__
        self.statuses.append(status)
        if status != 200:
            self.lost.append(f"{status} {body[:40]}")
        return status, body


@contextmanager
def visiting(visitors: list[Visitor], pause: float = 0.01) -> Iterator[None]:
    """Each visitor asks again and again, as long as this lasts."""
    ended = threading.Event()

    def visit(one: Visitor) -> None:
        while not ended.wait(pause):
            one.get()

    threads = [threading.Thread(target=visit, args=(one,), daemon=True) for one in visitors]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def described(**attributes: str) -> Balancer:
    """As deployed without a domain."""
    check = HealthCheck(path="/healthz", port=None, interval=10, timeout=5, healthy=2, unhealthy=3, matcher="200")
    group = TargetGroup(GROUP, "servers", 8000, check, deregistration_delay=30, slow_start=0, algorithm="round_robin")
    deployed = {
        "idle_timeout.timeout_seconds": "60",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        **{name.replace("__", "."): value for name, value in attributes.items()},
    }
    return Balancer("arn", "lyceum-dev", (Listener(80, False, Forward(GROUP)),), {GROUP: group}, deployed)


@dataclass
class Scene:
    """A load balancer and its servers."""

    folder: Path
    scale: float = 20.0  # a check each half second
    balancers: list[LoadBalancer] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)

    def server(self, **told: Any) -> Server:
        made = Server(f"127.0.0.{len(self.servers) + 2}", **told)
        made.start()
        self.servers.append(made)
        return made

    def balancer(self, wanted: Balancer | None = None, *, zones: tuple[str, ...] = ("a",), **told: Any) -> LoadBalancer:
        wanted = wanted or described()
        places = [
            Place(zone, address="127.0.0.1", ports={each.port: free_port() for each in wanted.listeners})
            for zone in zones
        ]
        made = LoadBalancer(wanted, places, self.folder, **{"scale": self.scale, **told})
        made.start()
        self.balancers.append(made)
        return made

    def register(self, balancer: LoadBalancer, *servers: Server, wait: bool = True) -> None:
        for server in servers:
            balancer.register(GROUP, name(server), server.address, server.port)
        if wait:
            until(lambda: all(state(balancer, server) == "healthy" for server in servers))


def name(server: Server) -> str:
    return f"i-{server.address.rsplit('.', 1)[1]}"


def state(balancer: LoadBalancer, server: Server) -> str:
    found = balancer.states(GROUP).get(name(server))
    return found.state.value if found else ""


def visitor(balancer: LoadBalancer, node: int = 0, port: int = 80) -> Visitor:
    return Visitor(balancer.nodes[node].place.ports[port])


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    troubles = [balancer.trouble for balancer in made.balancers]
    for balancer in made.balancers:
        balancer.stop()
    for server in made.servers:
        server.stop()
    assert not any(troubles), troubles
