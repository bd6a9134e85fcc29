"""The way into the rehearsed internet: a proxy that knows its names and leads nowhere else."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lyceum_lab.cloud.network import namespaces
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.way_in import WayIn
from lyceum_ops.processes import free_port

pytestmark = pytest.mark.namespaces
SITE, VISITOR = "192.0.2.1", "203.0.113.1"


class Site(BaseHTTPRequestHandler):
    """Says who asked, for what, by which name."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = f"{self.client_address[0]} {self.command} {self.path} {self.headers['Host']} ".encode() + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST  # noqa: N815 - http.server names it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    internet = Namespace(f"{namespaces.key(tmp_path)}internet")
    namespaces.create([internet.name])
    try:
        internet.ip(f"addr add {SITE}/32 dev lo", f"addr add {VISITOR}/32 dev lo")
        server = internet.enter(lambda: ThreadingHTTPServer((SITE, 80), Site))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = free_port()
        way = WayIn(internet, VISITOR, {"lyceum.example": SITE, "amazonaws.com": SITE})
        way.start(port)
        yield f"http://127.0.0.1:{port}"
        way.stop()
        server.shutdown()
        server.server_close()
    finally:
        namespaces.remove([internet.name])


def ask(proxy: str, url: str, body: bytes | None = None) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    try:
        with opener.open(urllib.request.Request(url, body), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_request_comes_from_the_visitor_with_the_sites_own_name(proxy: str) -> None:
    assert ask(proxy, "http://lyceum.example/a?b=c") == (200, f"{VISITOR} GET /a?b=c lyceum.example ")
    assert ask(proxy, "http://x.s3.us-east-1.amazonaws.com/") == (200, f"{VISITOR} GET / x.s3.us-east-1.amazonaws.com ")
    assert ask(proxy, "http://lyceum.example/", b"x" * 300_000)[1].count("x") >= 300_000


def test_what_is_not_of_the_rehearsal_is_not_reached(proxy: str) -> None:
    status, said = ask(proxy, "http://example.org/")
    assert (status, "example.org is not in it" in said) == (502, True)
    with pytest.raises(OSError, match="502"):
        ask(proxy, "https://notamazonaws.com/")


def test_it_tunnels_what_is_encrypted(proxy: str) -> None:
    host, port = proxy.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"CONNECT lyceum.example:80 HTTP/1.1\r\nHost: lyceum.example:80\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /inside HTTP/1.0\r\nHost: lyceum.example\r\n\r\n")
        said = b""
        while chunk := connection.recv(4096):
            said += chunk
    assert said.endswith(f"{VISITOR} GET /inside lyceum.example ".encode())


@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"GET http://lyceum.example:port/ HTTP/1.1\r\n\r\n", b"\r\n\r\n"]
)
def test_what_is_no_request_is_hung_up_on(proxy: str, said: bytes) -> None:
    host, port = proxy.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(said)
        assert connection.recv(1024) == b""
    assert ask(proxy, "http://lyceum.example/")[0] == 200
