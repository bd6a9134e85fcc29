"""The canary's own code, run at the platform and at what may stand in its place; what it tells is read back of moto."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from functions.canary import canary
from moto import mock_aws

from lyceum_lab.cloud.network.authority import Authority
from lyceum_lab.proofs.watch.published import BY_THE_CANARY

SPACE = "Lyceum/test"
PAGE = b'<!doctype html><main id="main">Courses</main></html>'
# Long enough for a server in another thread of a busy machine; short where what comes comes too late, after seconds.
LONG, SHORT, LATE = 60.0, 0.3, 6.0
Answer = Callable[[BaseHTTPRequestHandler], None]


def page(status: int = 200, body: bytes = PAGE, told: int | None = None, **headers: str) -> Answer:
    """An answer; `told` is how long it says that it is."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body) if told is None else told))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serves an answer at an address of its own, until the test is over; `over` is set then."""
    with ExitStack() as running:
        yield lambda answer, tls=None: running.enter_context(_serving(answer, tls))


class Server(ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def handle_error(self, *about: Any) -> None:
        # Who is not content with it hangs up.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*about)


@contextmanager
def _serving(answer: Answer, tls: ssl.SSLContext | None) -> Iterator[str]:
    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Asked) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over: what hangs in it hangs on this."""
    event = threading.Event()
    yield event
    event.set()


def ask(url: str) -> str:
    return canary.ask(url, LONG)


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # Moto stands at the client's own seam: what the canary asks goes out for real.
    with mock_aws():
        yield boto3.client("cloudwatch")


def told(cloudwatch: Any) -> tuple[float, float]:
    """How often was asked, and how often answered."""
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace=SPACE, MetricName="pages-answered", StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1), Period=86_400, Statistics=["SampleCount", "Sum"],
    )["Datapoints"]  # fmt: skip
    return sum(one["SampleCount"] for one in points), sum(one["Sum"] for one in points)


# ------------------------------------------------------------------------------------------------------------ pages


@pytest.mark.django_db(transaction=True)
def test_the_platforms_own_first_page_is_an_answer(live_server: Any) -> None:
    assert ask(live_server.url) == ""
    assert ask(f"{live_server.url}/courses/none/") == "status 404"
    # The health of a server is not what learners see.
    assert ask(f"{live_server.url}/healthz") == "no whole page of the platform"


def test_a_page_that_came_is_an_answer(serve: Callable[..., str]) -> None:
    assert ask(serve(page())) == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(500), "status 500"),
        (page(502), "status 502"),
        (page(503), "status 503"),
        (page(403), "status 403"),
        (page(301, Location="http://127.0.0.1:1/"), "status 301"),
        (page(body=b"<html>This domain is for sale</html>"), "no whole page of the platform"),
        (page(body=PAGE[:40], told=4000), "no whole page of the platform"),
        (page(body=b""), "no whole page of the platform"),
        (lambda request: request.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "BadStatusLine"),
        (lambda request: request.connection.shutdown(socket.SHUT_RDWR), "RemoteDisconnected"),
    ],
)
def test_another_answer_is_none_and_says_which(serve: Callable[..., str], answer: Answer, why: str) -> None:
    assert ask(serve(answer)) == why


def test_a_closed_door_is_none() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listened at
        assert ask(f"http://127.0.0.1:{taken.getsockname()[1]}") == "ConnectionRefusedError"


def test_what_hangs_is_given_up_in_time(serve: Callable[..., str], over: threading.Event) -> None:
    def late(request: BaseHTTPRequestHandler) -> None:
        over.wait(LATE)
        page()(request)

    assert canary.ask(serve(late), SHORT) == "nothing within 0.3 s"


def test_a_byte_now_and_then_does_not_keep_it(serve: Callable[..., str], over: threading.Event) -> None:
    """No socket's time-out ends this: something always comes, and at last all of it."""

    def drip(request: BaseHTTPRequestHandler) -> None:
        page(body=b"", told=len(PAGE))(request)
        for byte in PAGE:
            over.wait(LATE / len(PAGE))
            request.wfile.write(bytes([byte]))

    assert canary.ask(serve(drip), SHORT) == "nothing within 0.3 s"


def test_a_name_that_nobody_knows_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # The resolver's answer, and not a resolver: a test asks nothing of the network.
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert ask("https://learn.school.example") == "gaierror"


def test_a_resolver_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, over: threading.Event) -> None:
    def hang(*_: Any, **__: Any) -> Any:
        over.wait(LATE)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert canary.ask("https://learn.school.example", SHORT) == "nothing within 0.3 s"


def test_a_name_that_is_none_is_no_answer() -> None:
    assert ask(f"https://{'a' * 64}.example") == "UnicodeError"


# -------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


def speaking(authority: Authority, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("platform", names))
    return context


def test_a_certificate_that_is_right_is_part_of_the_answer(
    serve: Callable[..., str], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(page(), speaking(authority, "127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert ask(url) == ""


def test_a_certificate_of_somebody_else_is_not(
    serve: Callable[..., str], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(page(), speaking(authority, "learn.school.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert ask(url) == "SSLCertVerificationError"


def test_a_certificate_that_nobody_vouches_for_is_not(serve: Callable[..., str], authority: Authority) -> None:
    assert ask(serve(page(), speaking(authority, "127.0.0.1"))) == "SSLCertVerificationError"


# ------------------------------------------------------------------------------------------------------ what is told


def test_what_was_asked_and_what_was_answered_is_counted(
    serve: Callable[..., str], cloudwatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = serve(page()), serve(page(503))
    for url in (good, bad, good, good):
        canary.run(cloudwatch, url, SPACE)
    assert told(cloudwatch) == (4, 3)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["answered"], line["why"]) for line in lines] == [
        ("INFO", True, ""), ("WARNING", False, "status 503"), ("INFO", True, ""), ("INFO", True, ""),
    ]  # fmt: skip
    assert good not in str(lines)


def test_lambda_starts_it_with_the_address_and_the_namespace_of_its_environment(
    serve: Callable[..., str], cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_URL", serve(page()))
    monkeypatch.setenv("CANARY_NAMESPACE", SPACE)
    assert canary.handler({}, None)["answered"] is True
    assert told(cloudwatch) == (1, 1)


def test_that_it_could_not_tell_is_a_failure_of_its_own(serve: Callable[..., str], cloudwatch: Any) -> None:
    def refuse(**_: Any) -> Any:
        parsed = {"Error": {"Code": "AccessDenied", "Message": "refused"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return type("Response", (), {"status_code": 403, "headers": {}, "content": b""})(), parsed

    cloudwatch.meta.events.register_first("before-call.cloudwatch.PutMetricData", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        canary.run(cloudwatch, serve(page()), SPACE)


def test_a_run_is_over_before_lambda_ends_it_and_before_the_next_one() -> None:
    told = (Path(__file__).parents[2] / "infra/modules/canary/main.tf").read_text()
    # The last tries of CloudWatch wait for one another, a second or two.
    assert canary.PATIENCE + 3 * (2 + 3) < 30 < 60
    assert "timeout = 30" in told


def test_the_alarms_look_at_what_it_publishes() -> None:
    assert set(BY_THE_CANARY) == {canary.METRIC}
    assert f'name = "{canary.METRIC}"' in (Path(__file__).parents[2] / "infra/modules/alarms/table.tf").read_text()
