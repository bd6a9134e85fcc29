"""The platform as a server runs it: granian, a database of its own, its log in a file."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lyceum_ops.processes import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
LOG_CONFIGURATION = CHECKOUT / "src" / "lyceum" / "web" / "granian_logging.json"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Browser:
    """Keeps cookies and finds a form's token; nothing else."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        try:
            # A body that is too large is refused before it was sent.
            with suppress(BrokenPipeError):
                connection.request(method, path, body, {k.replace("_", "-"): v for k, v in sent.items() if v})
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
        finally:
            connection.close()
        for name, value in reply.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, text)

    def fill(self, path: str, **fields: str) -> Answer:
        """Open the form and send it."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.ask("GET", path).text)
        data = urlencode({**fields, "csrfmiddlewaretoken": token[1] if token else ""}).encode()
        return self.ask("POST", path, data, Content_Type="application/x-www-form-urlencoded")


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    settings: dict[str, str]

    def browser(self) -> Browser:
        return Browser(self.port)

    def lines(self) -> list[dict[str, Any]]:
        """The log, each line of which has to be an object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=30)


class Servers:
    """Starts servers on the settings given, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Server] = []

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(CHECKOUT / "manage.py"), *arguments],
            env=self._environment(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT / "src"),
            "LYCEUM_VAR_DIR": str(self.folder / "var"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            **settings,
        }

    def start(self, **settings: str) -> Server:
        port, log = free_port(), self.folder / f"log-{len(self.running)}"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "granian", "lyceum.wsgi:application", "--interface", "wsgi", "--no-ws",
                    "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "4",
                    "--log-config", str(LOG_CONFIGURATION),
                ],
                env=self._environment({"LOG_FORMAT": "json", **settings}),
                stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            )  # fmt: skip
        server = Server(process, port, log, dict(settings))
        self.running.append(server)
        deadline = time.monotonic() + 30
        while True:
            try:
                server.browser().ask("GET", "/healthz")
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            else:
                return server
