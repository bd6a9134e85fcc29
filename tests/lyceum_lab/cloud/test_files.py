"""The shared files, asked as a client of SFTP asks: they answer, answer late, or hang."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.lyceum_lab.cloud.here import Here

from lyceum_lab.cloud import files
from lyceum_lab.cloud.files import SharedFiles
from lyceum_ops.errors import Usage
from lyceum_ops.processes import free_port

pytestmark = pytest.mark.namespaces
HELLO = bytes([0, 0, 0, 5, 1, 0, 0, 0, 3])  # SSH_FXP_INIT, version 3


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedFiles]:
    tmp_path.chmod(0o700)  # as anybody's home may be
    monkeypatch.setattr(files, "PORT", free_port())
    found = SharedFiles(tmp_path / "files")
    found.start([(Here(), "127.0.0.1")])  # type: ignore[list-item]
    yield found
    found.stop()


def ask(seconds: float) -> bytes:
    """What the server says to a greeting; nothing when it takes longer."""
    with socket.create_connection(("127.0.0.1", files.PORT), timeout=seconds) as connection:
        connection.sendall(HELLO)
        try:
            return connection.recv(64)
        except TimeoutError:
            return b""


def test_it_answers_late_or_not_at_all_as_it_is_switched(shared: SharedFiles) -> None:
    assert ask(10)[4] == 2  # SSH_FXP_VERSION
    shared.switch("hung")
    assert ask(1) == b""
    shared.switch("slow")
    began = time.monotonic()
    assert ask(10)[4] == 2
    assert time.monotonic() - began >= 2 * files.SLOW_SECONDS
    shared.switch("well")
    assert ask(10)[4] == 2
    with pytest.raises(Usage, match="well, slow, hung"):
        shared.switch("gone")


def test_its_server_is_nobody_and_goes_with_the_connection(shared: SharedFiles) -> None:
    with socket.create_connection(("127.0.0.1", files.PORT), timeout=10) as connection:
        connection.sendall(HELLO)
        connection.recv(64)
        (server,) = _servers()
        assert server.uids().real == files.OWNER != 0
    deadline = time.monotonic() + 10
    while _servers():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _servers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one.name() == "sftp-server"]
