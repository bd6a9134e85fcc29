"""AWS's endpoints in front of an emulator, over the loopback: TLS, AWS's names, and nothing of the emulator's own."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.cloud.network.authority import Authority
from lyceum_lab.cloud.network.endpoints import Endpoints
from lyceum_lab.emulator import ROOT_KEY, ROOT_SECRET

BUCKET = "lyceum-dev-content-123456789012"


class Here:
    """In the place of a namespace: this machine's own network; what listens, on a port that is free."""

    port = 0

    def enter(self, work):  # type: ignore[no-untyped-def]
        real = socket.create_server
        socket.create_server = lambda where, **more: real((where[0], 0), **more)
        try:
            sockets = work()
        finally:
            socket.create_server = real
        self.port = sockets[0].getsockname()[1]
        return sockets


@pytest.fixture
def front(emulator: Emulator, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    authority, here = Authority.create(tmp_path), Here()
    endpoints = Endpoints(emulator.endpoint, authority, "us-east-1")
    endpoints.start(here, ["127.0.0.1"])  # type: ignore[arg-type]
    yield here.port, authority.certificate
    endpoints.stop()


def ask(front: tuple[int, Path], host: str, path: str, authority: Path | None = None) -> tuple[int, bytes]:
    """A request to an AWS name, led to where the front listens."""
    port, certificate = front
    context = ssl.create_default_context(cafile=str(authority or certificate))
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection = http.client.HTTPConnection(host)
    connection.sock = context.wrap_socket(raw, server_hostname=host)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_presigned_address_with_the_bucket_in_its_name_opens_its_object(
    emulator: Emulator,
    front: tuple[int, Path],
) -> None:
    emulator.client("s3").create_bucket(Bucket=BUCKET)
    emulator.client("s3").put_object(Bucket=BUCKET, Key="a b/c.txt", Body=b"told")
    signer = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_SECRET,
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )  # fmt: skip
    url = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a b/c.txt"})
    host, path = url.removeprefix("https://").split("/", 1)
    assert host.startswith(f"{BUCKET}.s3")
    assert ask(front, host, f"/{path}") == (200, b"told")
    assert ask(front, host, f"/{path}".replace("c.txt", "d.txt"))[0] == 403


def test_nobody_in_the_network_sees_the_emulators_own_pages(
    emulator: Emulator,
    front: tuple[int, Path],
) -> None:
    for host in ("sts.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"):
        for page in ("health", "resources", "groups", "credentials/lyceum-deployer"):
            assert ask(front, host, f"/_lyceum/{page}")[0] == 404
    assert emulator.page("health")["status"] == "ok"


def test_another_authority_does_not_vouch_for_it(front: tuple[int, Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority.create(tmp_path / "other").certificate
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(front, "sts.us-east-1.amazonaws.com", "/", other)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(front, "example.org", "/")


def test_json_and_query_services_answer_by_their_own_names(emulator: Emulator, front: tuple[int, Path]) -> None:
    port, certificate = front
    real = socket.getaddrinfo
    socket.getaddrinfo = lambda _host, _port, *more, **named: real("127.0.0.1", port, *more, **named)
    try:

        def client(service: str):  # type: ignore[no-untyped-def]
            return boto3.client(service, region_name="us-east-1", aws_access_key_id="AKIATEST",  # type: ignore[call-overload]
                                aws_secret_access_key="x", verify=str(certificate),
                                config=Config(proxies={}, retries={"max_attempts": 0}))  # fmt: skip

        assert client("sts").get_caller_identity()["Account"] == "123456789012"
        assert client("secretsmanager").list_secrets()["SecretList"] == []
    finally:
        socket.getaddrinfo = real
