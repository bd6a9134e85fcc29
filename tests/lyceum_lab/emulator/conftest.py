"""One emulator, in a process of its own as in a rehearsal, for all tests here that only add to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lyceum_ops.processes import free_port

COMMAND = [sys.executable, "-m", "lyceum_lab.emulator"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": "src"}
SECRET = "not-for-any-log"


@dataclass
class Emulator:
    """A running emulator: where it answers, where it records, and its process."""

    port: int
    calls: Path
    process: subprocess.Popen[bytes]
    started_in: float

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, name: str) -> Any:
        with urllib.request.urlopen(f"{self.endpoint}/_lyceum/{name}") as answer:
            return json.load(answer)

    def client(self, service: str, key: str = "AKIATEST", secret: str = SECRET, token: str | None = None) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(signature_version="s3v4" if service == "s3" else None, retries={"max_attempts": 0}),
        )

    def recorded(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.calls.read_text().splitlines()]


@pytest.fixture(scope="session")
def start_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Emulator]]:
    """Starts an emulator that answers, with the options given; all are ended after the tests."""
    started: list[Emulator] = []

    def start(*options: str) -> Emulator:
        port, calls = free_port(), tmp_path_factory.mktemp("emulator") / "calls.jsonl"
        begun = time.monotonic()
        process = subprocess.Popen([*COMMAND, "--port", str(port), "--calls", str(calls), *options], env=ENVIRONMENT)
        emulator = Emulator(port, calls, process, 0.0)
        started.append(emulator)
        while True:
            try:
                emulator.page("health")
                break
            except urllib.error.URLError:
                assert process.poll() is None, "the emulator ended while it started"
                assert time.monotonic() < begun + 30, "the emulator does not answer"
                time.sleep(0.05)
        emulator.started_in = time.monotonic() - begun
        return emulator

    yield start
    for emulator in started:
        emulator.process.kill()
        emulator.process.wait()


@pytest.fixture(scope="session")
def emulator(start_emulator: Callable[[], Emulator]) -> Emulator:
    return start_emulator()
