"""A server as far as the stand-ins see it: a metadata service that hands out credentials, and an emulated AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.lyceum_lab.emulator.conftest import emulator, start_emulator

__all__ = ["emulator", "start_emulator"]

SECRET = "a-secret-that-must-stand-in-no-log"


@dataclass
class MetadataService:
    """Version 2: without a token it tells nothing. `told` is what it tells, by path below `/latest/`."""

    endpoint: str = ""
    told: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def metadata() -> Iterator[MetadataService]:
    service = MetadataService()
    document = {"instanceId": "i-0123", "region": "us-east-1", "privateIp": "10.0.1.7", "instanceType": "t2.micro"}
    credentials = {
        "Code": "Success", "AccessKeyId": "AKIATEST", "SecretAccessKey": SECRET, "Token": SECRET,
        "Expiration": "2199-01-01T00:00:00Z", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
    }  # fmt: skip
    service.told = {
        "dynamic/instance-identity/document": json.dumps(document),
        "meta-data/instance-id": "i-0123",
        "meta-data/iam/security-credentials/": "role",
        "meta-data/iam/security-credentials/role": json.dumps(credentials),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.answer(200, "token")

        def do_GET(self) -> None:
            if self.headers.get("X-aws-ec2-metadata-token") != "token":
                self.answer(401, "")
            else:
                text = service.told.get(self.path.removeprefix("/latest/"))
                self.answer(404 if text is None else 200, text or "")

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service.endpoint = f"http://127.0.0.1:{server.server_port}"
    yield service
    server.shutdown()
    server.server_close()
