"""The emulator as a program: its port, its start, its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable

from tests.lyceum_lab.emulator.conftest import COMMAND, ENVIRONMENT, Emulator


def test_it_starts_soon_and_ends_cleanly_on_sigterm(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    assert emulator.started_in < 10  # 1 to 2 s on an idle machine
    emulator.process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert emulator.process.wait(timeout=10) == 0
    assert time.monotonic() - begun < 2
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", emulator.port)) != 0


def test_a_taken_port_is_one_line_and_exit_1(emulator: Emulator) -> None:
    second = subprocess.run(
        [*COMMAND, "--port", str(emulator.port)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.splitlines() == [f"emulator: port {emulator.port} is taken"]


def test_health_names_the_account(emulator: Emulator) -> None:
    assert emulator.page("health") == {"status": "ok", "account": "123456789012"}
    assert emulator.client("sts").get_caller_identity()["Account"] == "123456789012"
