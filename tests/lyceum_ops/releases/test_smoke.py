"""What is live is asked whether it is what was released, healthy, and answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.lyceum_ops.releases.conftest import GROUP, Dev

from lyceum_ops.errors import LyceumError
from lyceum_ops.releases.release import Wanted, release
from lyceum_ops.smoke import smoke


@pytest.fixture
def served() -> Iterator[dict[str, int]]:
    """Answers each page with the status that is said; `port` is where."""
    statuses: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 200))
            self.end_headers()
            self.wfile.write(b"x")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    statuses["port"] = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield statuses
    server.shutdown()


@pytest.fixture
def released(dev: Dev) -> Dev:
    """Release 1.0 is live, and the load balancer knows its server."""
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0"))
    elb, vpc = dev.session.client("elbv2"), dev.session.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    arn = elb.create_target_group(Name="servers", Protocol="HTTP", Port=8000, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    dev.session.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName=GROUP, TargetGroupARNs=[arn]
    )
    return dev


def test_what_is_live_healthy_and_answers_passes(
    released: Dev, served: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    smoke(released.production(), version="1.0", url=f"http://127.0.0.1:{served['port']}/")
    said = capsys.readouterr().out
    assert "1 healthy, 0 not" in said
    assert "/accounts/login/" in said


def test_another_release_fails(released: Dev) -> None:
    with pytest.raises(LyceumError, match=r"dev runs 1\.0, not 2\.0"):
        smoke(released.production(), version="2.0")


def test_a_page_that_fails_fails(released: Dev, served: dict[str, int]) -> None:
    served["/accounts/login/"] = 500
    with pytest.raises(LyceumError, match=r"/accounts/login/ answers 500"):
        smoke(released.production(), version="1.0", url=f"http://127.0.0.1:{served['port']}")


def test_nobody_there_fails(released: Dev) -> None:
    with pytest.raises(LyceumError, match=r"does not answer"):
        smoke(released.production(), version="1.0", url="http://127.0.0.1:1")


def test_a_group_without_a_healthy_server_fails(dev: Dev) -> None:
    with pytest.raises(LyceumError, match=r"not healthy: no server is registered"):
        smoke(dev.production(), patience=0)
