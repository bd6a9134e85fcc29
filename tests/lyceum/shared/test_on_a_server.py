"""Transfers through the server that production runs: readers who go away give their place back."""

from __future__ import annotations

import re
import socket
import time

from tests.lyceum.servers import Browser, Server, Servers

PASSWORD = "a-long-and-quiet-password"
COURSE = """
from lyceum.accounts.models import User
from lyceum.courses.models import Course
from lyceum.courses.services import enrol
enrol(user=User.objects.get(), course=Course.objects.create(slug="maps", title="Maps", published=True))
"""


def share(browser: Browser, name: str, size: int) -> str:
    """Address of the file that was shared."""
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.ask("GET", "/courses/maps/files/").text)
    assert token
    body = (
        f'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token[1]}\r\n'
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    ).encode() + b"x" * size + b"\r\n--x--\r\n"  # fmt: skip
    assert browser.ask("POST", "/uploads/maps/", body, Content_Type="multipart/form-data; boundary=x").status == 302
    listed = browser.ask("GET", "/courses/maps/files/").text
    found = re.search(rf'href="(/courses/maps/files/[0-9a-f-]+/)" download>{re.escape(name)}', listed)
    assert found
    return found[1]


def begin(server: Server, browser: Browser, path: str) -> tuple[socket.socket, bytes]:
    """A reader who takes the head of the answer and then nothing."""
    reader = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    cookie = f"sessionid={browser.cookies['sessionid']}"
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    return reader, reader.recv(2000)[9:12]


def test_slow_readers_take_half_of_the_server_and_give_it_back(servers: Servers) -> None:
    for command in (
        ("prepare", "-v0"), ("create_user", "--email", "ada@lyceum.example"), ("shell", "-v0", "-c", COURSE),
    ):  # fmt: skip
        made = servers.manage(*command, LYCEUM_USER_PASSWORD=PASSWORD)
        assert made.returncode == 0, made.stderr
    server = servers.start()
    browser = server.browser()
    assert browser.fill("/accounts/login/", login="ada@lyceum.example", password=PASSWORD).status == 302
    size = 20_000_000
    path = share(browser, "film.mp4", size)
    for _ in range(2):
        readers = [begin(server, browser, path) for _ in range(3)]
        assert [status for _, status in readers] == [b"200", b"200", b"429"]
        began = time.monotonic()
        assert browser.ask("GET", "/courses/maps/").status == 200
        assert time.monotonic() - began < 5
        for reader, _ in readers:
            reader.close()
        deadline = time.monotonic() + 20
        while (whole := browser.ask("GET", path)).status != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(whole.text) == size
        time.sleep(1)
    assert not [line for line in server.lines() if line["level"] == "ERROR"]
