"""haproxy's runtime socket: one command a connection, its answer as text."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lyceum_ops.errors import LyceumError

# What haproxy answers when all is well, besides nothing at all.
_FINE = ("New server registered", "Server deleted")


@dataclass(frozen=True)
class Row:
    """One server of one backend, as `show stat` tells."""

    backend: str
    server: str
    status: str
    checked: str  # the last check's outcome: "L7OK", "L7STS", "L4CON", …; "" before the first
    failed: int  # checks that failed while the server was up
    requests: int
    errors: int  # answers of 500 and more


class Runtime:
    """The socket of one process."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path = path
        self._timeout = timeout

    def ask(self, command: str) -> str:
        """The answer to a command. Raises OSError when the process does not answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self._timeout)
            connection.connect(str(self._path))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer.decode().strip()

    def do(self, *commands: str) -> None:
        """Commands that answer nothing. Raises LyceumError with haproxy's own words when one is refused."""
        for command in commands:
            answer = self.ask(command)
            if answer and not answer.startswith(_FINE):
                raise LyceumError(f"haproxy refuses {' '.join(command.split()[:3])!r}: {answer.splitlines()[0]}")

    def servers(self) -> list[Row]:
        """Every server of every backend."""
        return [
            Row(
                backend=row["pxname"],
                server=row["svname"],
                status=row["status"],
                checked=row["check_status"].removeprefix("* ").replace("INI", ""),
                failed=int(row["chkfail"] or 0),
                requests=int(row["req_tot"] or row["stot"] or 0),
                errors=int(row["hrsp_5xx"] or 0),
            )
            for row in self._statistics(4)
        ]

    def bad_answers(self) -> int:
        """Answers of 500 and more that clients got from the listeners, whoever gave them."""
        return sum(int(row["hrsp_5xx"] or 0) for row in self._statistics(1) if row["pxname"].startswith("port-"))

    def _statistics(self, kind: int) -> Iterable[dict[str, str]]:
        """The rows of all proxies' listeners (1) or servers (4)."""
        return csv.DictReader(io.StringIO(self.ask(f"show stat -1 {kind} -1").lstrip("# ")))
