"""A port of this machine that leads through the bastion: a Session Manager session, carried by AWS's own plugin.

The plugin is called as AWS's command line calls it, the session's token in its environment and not among its words.
It runs apart from the terminal, so that Ctrl-C reaches this command alone, which then ends the plugin and the session:
nothing listens, runs or stays open at AWS afterwards.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool
from lyceum_ops.processes import die_with_parent, free_port, require_port

PLUGIN = "session-manager-plugin"
# The first that reads the session from its environment.
OLDEST = (1, 2, 497)
RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"
INSTALL = (
    "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html"
)
ANY_HOST = "AWS-StartPortForwardingSessionToRemoteHost"
# Seconds: until the port has to be open, and until a plugin that was asked to end is killed.
OPEN, END = 30.0, 5.0


@dataclass(frozen=True)
class Way:
    """Which session is asked for: on which instance, by which document, with which parameters beside the local port."""

    target: str
    document: str
    parameters: Mapping[str, str]

    @classmethod
    def to_database(cls, bastion: str, environment: str) -> Way:
        """The environment's own database and nothing else: the document names it."""
        return cls(bastion, f"lyceum-{environment}-database", {})

    @classmethod
    def to_host(cls, bastion: str, host: str, port: int) -> Way:
        """Any host that the bastion reaches. An operator's policy does not allow it, an administrator's does."""
        return cls(bastion, ANY_HOST, {"host": host, "portNumber": str(port)})


def require_plugin() -> str:
    """The plugin's path. Raises MissingTool when it is not there, or too old to keep the token to itself."""
    found = shutil.which(PLUGIN)
    if not found:
        raise MissingTool(f"AWS's {PLUGIN} is not here.", INSTALL)
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", said)
    if not version or tuple(int(part) for part in version.groups()) < OLDEST:
        wanted = ".".join(str(part) for part in OLDEST)
        raise MissingTool(f"The {PLUGIN} is {said or 'of no known version'}, and {wanted} is the least.", INSTALL)
    return found


@contextmanager
def opened(session: Any, way: Way, *, port: int = 0) -> Iterator[Forward]:
    """The forward, open on `port` of 127.0.0.1 (0: a free one); closed when the block is left, however it is left."""
    plugin = require_plugin()
    if port:
        require_port(port)
    forward = Forward(session.client("ssm"), way, port or free_port(), plugin)
    try:
        forward.start()
        yield forward
    finally:
        forward.close()


class Forward:
    """One session with its plugin. `opened` starts and closes it."""

    def __init__(self, client: Any, way: Way, port: int, plugin: str) -> None:
        self._client, self._way, self.port, self._plugin = client, way, port, plugin
        self.session = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()

    def start(self) -> None:
        """Ask for the session and wait until the port is open. Raises LyceumError for what stands in the way."""
        asked = {
            "Target": self._way.target,
            "DocumentName": self._way.document,
            "Parameters": {
                **{name: [value] for name, value in self._way.parameters.items()},
                "localPortNumber": [str(self.port)],
            },
        }
        told = self._ask(asked)
        self.session = told["SessionId"]
        response = json.dumps({name: told[name] for name in ("SessionId", "TokenValue", "StreamUrl")})
        self._process = subprocess.Popen(
            [
                self._plugin, RESPONSE, self._client.meta.region_name, "StartSession",
                os.environ.get("AWS_PROFILE", ""), json.dumps(asked), self._client.meta.endpoint_url,
            ],
            env={**os.environ, RESPONSE: response},
            stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=die_with_parent(signal.SIGINT),
        )  # fmt: skip
        until = time.monotonic() + OPEN
        while not self._answers():
            self.require_alive()
            if time.monotonic() > until:
                raise CommandFailed(f"Port {self.port} did not open within {OPEN:g} s: {self._last_words()}",
                                    "Run it again; if it stays so, docs/runbook/reach-the-database.md.")  # fmt: skip
            time.sleep(0.1)

    def require_alive(self) -> None:
        """Raise CommandFailed when the session has ended."""
        if self._process is None or self._process.poll() is not None:
            raise CommandFailed(f"The session ended: {self._last_words()}", "Run it again.")

    def close(self) -> None:
        """End the plugin and the session; once more does nothing."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # the one signal on which AWS's plugin says goodbye
            try:
                process.wait(END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.session:
            # One that has ended already, or cannot be reached any more, ends by itself at AWS.
            with suppress(LyceumError), aws.asking("ssm"):
                self._client.terminate_session(SessionId=self.session)
            self.session = ""
        self._said.close()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            with aws.asking("ssm"):
                return dict(self._client.start_session(**asked))
        except LyceumError as error:
            match aws.code(error):
                case "TargetNotConnected":
                    raise LyceumError(
                        f"Session Manager does not reach the bastion {self._way.target}.",
                        "It needs minutes after its start; else see docs/runbook/reach-the-database.md.",
                    ) from error
                case "InvalidDocument":
                    raise LyceumError(
                        f"There is no session document {self._way.document}.", "Was the environment applied?"
                    ) from error
            raise

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"
