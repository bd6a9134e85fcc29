"""The metadata service, asked as an instance asks it, over the loopback."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.lyceum_lab.cloud.here import Here

from lyceum_lab.cloud.network.metadata import Credentials, Instance, Metadata

INSTANCE = Instance(
    "i-1", "127.0.0.1", "us-east-1a", "us-east-1", "123456789012", "ami-1", "t2.micro", ("lyceum-dev-server",),
    b"#!/bin/sh\n", {"Release": "1.0", "aws:autoscaling:groupName": "servers"}, "lyceum-dev-server",
)  # fmt: skip


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[int], dict[str, Instance]]]:
    import socket

    real = socket.create_server
    monkeypatch.setattr(socket, "create_server", lambda where, **more: real((where[0], 0), **more))
    made: list[int] = []
    known = {"127.0.0.1": INSTANCE}

    def assume(instance: Instance) -> Credentials:
        made.append(1)
        # The first ones are about to end.
        left = timedelta(minutes=5 if len(made) == 1 else 60)
        return Credentials(f"key-{len(made)}", "secret", "token", datetime.now(UTC) + left)

    metadata = Metadata(known.get, assume)
    metadata.start(Here(), "127.0.0.1")  # type: ignore[arg-type]
    assert metadata._server is not None
    yield f"http://127.0.0.1:{metadata._server.socket.getsockname()[1]}", made, known
    metadata.stop()


def ask(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url + path, method=method, headers=named), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def token(url: str, seconds: str = "60") -> str:
    return ask(url, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=seconds)[1]


def test_nothing_is_told_without_a_token(service: tuple[str, list[int], dict[str, Instance]]) -> None:
    url, _, _ = service
    assert ask(url, "/latest/meta-data/instance-id")[0] == 401
    assert ask(url, "/latest/meta-data/instance-id", X_aws_ec2_metadata_token="9999999999-0")[0] == 401
    assert ask(url, "/latest/api/token", "PUT")[0] == 400
    assert ask(url, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="21601")[0] == 400
    right = {"X_aws_ec2_metadata_token_ttl_seconds": "60", "X_Forwarded_For": "10.0.0.1"}
    assert ask(url, "/latest/api/token", "PUT", **right)[0] == 403
    assert ask(url, "/latest/meta-data/instance-id", X_aws_ec2_metadata_token=token(url)) == (200, "i-1")


def test_it_tells_tags_user_data_and_place_and_404_of_the_rest(
    service: tuple[str, list[int], dict[str, Instance]],
) -> None:
    url, _, known = service
    mine = {"X_aws_ec2_metadata_token": token(url)}
    assert ask(url, "/latest/meta-data/tags/instance/Release", **mine) == (200, "1.0")
    assert ask(url, "/2021-03-23/meta-data/placement/availability-zone", **mine) == (200, "us-east-1a")
    assert ask(url, "/latest/user-data", **mine) == (200, "#!/bin/sh\n")
    assert "tags/" in ask(url, "/latest/meta-data/", **mine)[1].splitlines()
    assert ask(url, "/latest/meta-data/tags/instance/Other", **mine)[0] == 404
    assert ask(url, "/latest/meta-data/iam/security-credentials/another-role", **mine)[0] == 404
    known.clear()
    assert ask(url, "/latest/meta-data/instance-id", **mine)[0] == 404


def test_credentials_are_the_roles_and_renewed_before_they_end(
    service: tuple[str, list[int], dict[str, Instance]],
) -> None:
    url, made, _ = service
    mine = {"X_aws_ec2_metadata_token": token(url)}
    assert ask(url, "/latest/meta-data/iam/security-credentials/", **mine) == (200, "lyceum-dev-server")
    got = [
        json.loads(ask(url, "/latest/meta-data/iam/security-credentials/lyceum-dev-server", **mine)[1]) for _ in "abc"
    ]
    assert [one["AccessKeyId"] for one in got] == ["key-1", "key-2", "key-2"]
    assert len(made) == 2
