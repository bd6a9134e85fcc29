"""How a server starts, watches and configures itself, without booting one."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator, start_emulator

from lyceum_ops.processes import free_port

INSTANCE = Path(__file__).resolve().parents[2] / "instance"
SETTINGS = {
    "AWS_REGION": "us-east-1", "LYCEUM_DATABASE_ADDRESS": "db.internal", "LYCEUM_DATABASE_PORT": "5432",
    "LYCEUM_DATABASE_NAME": "lyceum",
}  # fmt: skip
PASSWORD, SECRET_KEY = "p@ss:w/rd?#%", "a-key-that-signs-everything"
__all__ = ["start_emulator"]


@pytest.fixture(scope="module")
def emulator(start_emulator: Callable[[], Emulator]) -> Emulator:
    return start_emulator()


@pytest.fixture(scope="module")
def settings(emulator: Emulator) -> dict[str, str]:
    kept = emulator.client("secretsmanager")
    arns = {n: kept.create_secret(Name=n, SecretString=t)["ARN"] for n, t in (("d", PASSWORD), ("k", SECRET_KEY))}
    return {
        **SETTINGS, "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": emulator.endpoint, "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "anything", "LYCEUM_DATABASE_SECRET_ARN": arns["d"],
        "LYCEUM_SECRET_KEY_ARN": arns["k"],
    }  # fmt: skip


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release whose server writes its environment and its arguments down instead of serving."""
    (tmp_path / "instance").mkdir()
    for name in ("launch.py", "watchdog.py"):
        (tmp_path / "instance" / name).write_text((INSTANCE / name).read_text())
    (tmp_path / "instance" / "serve.py").write_text(
        "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv]))"
    )
    return tmp_path


def launch(release: Path, settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(release / "instance" / "launch.py"), *words]
    return subprocess.run(argv, env=settings, capture_output=True, text=True, timeout=60)


def test_the_server_gets_its_secrets_in_its_environment_and_not_in_its_arguments(
    release: Path, settings: dict[str, str]
) -> None:
    done = launch(release, settings)
    assert done.returncode == 0, done.stderr
    environment, argv = json.loads(done.stdout)
    parts = urlsplit(environment["DATABASE_URL"])
    assert (parts.username, parts.hostname, parts.path) == ("lyceum_app", "db.internal", "/lyceum")
    assert "sslmode=require" in parts.query
    import dj_database_url

    assert dj_database_url.parse(environment["DATABASE_URL"])["PASSWORD"] == PASSWORD
    assert environment["SECRET_KEY"] == SECRET_KEY
    assert argv == [str(release / "instance" / "serve.py")]
    assert not [
        path for path in release.rglob("*") if path.is_file() and SECRET_KEY in path.read_text(errors="replace")
    ]


def test_the_self_test_is_asked_with_the_servers_own_secrets(release: Path, settings: dict[str, str]) -> None:
    (release / "manage.py").write_text((release / "instance" / "serve.py").read_text())
    done = launch(release, settings, "selftest")
    assert done.returncode == 0, done.stderr
    environment, argv = json.loads(done.stdout)
    assert argv == [str(release / "manage.py"), "selftest", "--release"]
    assert environment["SECRET_KEY"] == SECRET_KEY


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"LYCEUM_SECRET_KEY_ARN": ""}, "LYCEUM_SECRET_KEY_ARN is not set"),
        ({"LYCEUM_SECRET_KEY_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-abcdef"},
         "Secrets Manager answers ResourceNotFoundException"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Secrets Manager was not reached"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
         "Secrets Manager was not reached"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_one_line_without_a_secret(
    release: Path, settings: dict[str, str], wrong: dict[str, str], said: str
) -> None:
    done = launch(release, {**settings, **wrong})
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith("lyceum: the platform is not started: ")
    assert said in line
    assert PASSWORD not in done.stderr + done.stdout


# --- The web server -------------------------------------------------------------------------------------------------

APPLICATION = """
import time
def application(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], int]]]:
    (tmp_path / "lyceum").mkdir()
    (tmp_path / "lyceum" / "__init__.py").touch()
    (tmp_path / "lyceum" / "wsgi.py").write_text(APPLICATION)
    started: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "LYCEUM_ADDRESS": "127.0.0.1",
            "LYCEUM_PORT": str(port), **settings,
        }  # fmt: skip
        started.append(subprocess.Popen([sys.executable, INSTANCE / "serve.py"], env=environment))
        # The socket listens before the worker is there: only an answer shows that it serves.
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/")
                assert connection.getresponse().status == 200
                connection.close()
                break
            except OSError:
                time.sleep(0.05)
        return started[-1], port

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def closed_after(port: int, limit: float) -> float | None:
    """Seconds until the server closes an idle connection; None when it had not within `limit`."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in line.recv(4096)
        line.settimeout(limit)
        began = time.monotonic()
        try:
            assert line.recv(1) == b""
        except TimeoutError:
            return None
        return time.monotonic() - began


Serve = Callable[..., "tuple[subprocess.Popen[bytes], int]"]


def test_an_idle_connection_lives_as_long_as_the_setting_says(serve: Serve) -> None:
    _, port = serve(LYCEUM_KEEP_ALIVE_SECONDS="2")
    found = closed_after(port, 6)
    assert found is not None
    assert 1.5 < found < 4
    _, port = serve(LYCEUM_KEEP_ALIVE_SECONDS="75")
    assert closed_after(port, 5) is None


def test_by_itself_it_outlives_the_load_balancers_idle_time() -> None:
    sys.path.insert(0, str(INSTANCE))
    import serve as module

    settings = module.server({}).http1_settings
    assert settings is not None
    assert settings.header_read_timeout > 60_000


def test_a_stop_answers_what_was_begun_and_takes_nothing_new(serve: Serve) -> None:
    process, port = serve()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/?2")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert connection.getresponse().read() == b"ok"
    assert process.wait(10) == 0


# --- The watchdog ---------------------------------------------------------------------------------------------------


class _Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by http.server
        pass


@pytest.mark.parametrize(("status", "said"), [(200, "healthy"), (503, "unhealthy: /healthz answers 503")])
def test_the_watchdog_tells_of_every_answer_and_of_nothing_else(tmp_path: Path, status: int, said: str) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.settimeout(15)
        port = free_port()
        code = "import os, watchdog; watchdog.run(os.environ)"
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(INSTANCE), "NOTIFY_SOCKET": address,
            "LYCEUM_PORT": str(port), "WATCHDOG_USEC": "2000000",
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        try:
            heard.settimeout(1)
            with pytest.raises(TimeoutError):
                heard.recv(200)  # nobody answers yet
            heard.settimeout(15)
            server = HTTPServer(("127.0.0.1", port), type("Health", (_Health,), {"status": status}))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            assert heard.recv(200).decode() == f"READY=1\nSTATUS={said}"
            assert heard.recv(200).decode() == f"WATCHDOG=1\nSTATUS={said}"
            server.shutdown()
            server.server_close()
            while True:  # what was on its way
                heard.settimeout(1.5)
                try:
                    heard.recv(200)
                except TimeoutError:
                    break
        finally:
            process.kill()
            process.wait()


# --- The agent's configuration --------------------------------------------------------------------------------------

AGENT = {
    "LYCEUM_METRICS_NAMESPACE": "Lyceum/dev", "LYCEUM_AUTOSCALING_GROUP": 'a "group" of $ervers',
    "LYCEUM_SYSTEM_LOG_GROUP": "/lyceum/dev/system", "LYCEUM_APPLICATION_LOG_GROUP": "/lyceum/dev/application",
}  # fmt: skip


class _Metadata(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self._say(200, b"token")

    def do_GET(self) -> None:
        known = self.path == "/latest/meta-data/instance-id" and self.headers["X-aws-ec2-metadata-token"] == "token"
        self._say(200 if known else 401, b"i-0123" if known else b"")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by http.server
        pass


@pytest.fixture
def metadata() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def configure(target: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    script, template = str(INSTANCE / "agent_configuration.py"), str(INSTANCE / "cloudwatch-agent.json")
    argv = [sys.executable, script, template, str(target)]
    return subprocess.run(
        argv, env={"PATH": os.environ["PATH"], **AGENT, **settings}, capture_output=True, text=True, timeout=30
    )


def test_the_agent_is_told_the_servers_stream_of_this_hour(metadata: str, tmp_path: Path) -> None:
    target = tmp_path / "etc" / "agent.json"
    before = time.strftime("%Y-%m-%dT%H", time.gmtime())
    done = configure(target, LYCEUM_METADATA=metadata)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(target.read_text())
    files = made["logs"]["logs_collected"]["files"]["collect_list"]
    hours = {before, time.strftime("%Y-%m-%dT%H", time.gmtime())}
    assert {each["log_stream_name"] for each in files} <= {f"i-0123/{hour}" for hour in hours}
    assert {each["log_group_name"] for each in files} == {"/lyceum/dev/system", "/lyceum/dev/application"}
    metrics = made["metrics"]
    assert metrics["namespace"] == "Lyceum/dev"
    assert metrics["aggregation_dimensions"] == [["AutoScalingGroupName"]]
    for kind in ("mem", "disk"):
        collected = metrics["metrics_collected"][kind]
        assert collected["append_dimensions"] == {"AutoScalingGroupName": AGENT["LYCEUM_AUTOSCALING_GROUP"]}
        assert [each["rename"] for each in collected["measurement"]] == [f"{kind}_used_percent"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"LYCEUM_AUTOSCALING_GROUP": ""}, "LYCEUM_AUTOSCALING_GROUP is not set"),
        ({"LYCEUM_METADATA": "127.0.0.1:9"}, "the metadata service does not answer"),
    ],
)
def test_without_its_settings_the_agent_keeps_the_configuration_it_has(
    metadata: str, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    target = tmp_path / "agent.json"
    target.write_text("the last hour's")
    done = configure(target, **{"LYCEUM_METADATA": metadata, **wrong})
    assert done.returncode == 1
    assert said in done.stderr
    assert target.read_text() == "the last hour's"
