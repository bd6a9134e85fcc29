"""The load balancer at work: real haproxy, real connections, servers that come, fail, drain and go."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lyceum_lab.cloud.balancer.conftest import GROUP, Scene, described, name, state, until, visiting, visitor

from lyceum_lab.cloud.balancer.described import Fixed, Listener, Redirect
from lyceum_lab.cloud.balancer.haproxy import LoadBalancer, Place
from lyceum_ops.errors import CommandFailed

pytestmark = pytest.mark.standins


# ------------------------------------------------------------------------------------------------------ requests


def test_requests_are_spread_and_carry_what_aws_adds(scene: Scene) -> None:
    balancer, servers = scene.balancer(), [scene.server(), scene.server()]
    scene.register(balancer, *servers)
    guest = visitor(balancer)
    assert sorted(guest.get(f"/{number}")[1] for number in range(4)) == ["127.0.0.2"] * 2 + ["127.0.0.3"] * 2
    seen = servers[0].seen[0]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("http", "80")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", seen["x-amzn-trace-id"])
    assert seen["host"] == f"127.0.0.1:{guest.port}"
    assert servers[0].checks[0]["host"] == f"127.0.0.2:{servers[0].port}"
    assert servers[0].checks[0]["user-agent"] == "ELB-HealthChecker/2.0"


def test_what_a_client_says_of_itself_is_kept_apart(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    visitor(balancer).get(X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https", X_Amzn_Trace_Id="Root=1-a-b")
    seen = server.seen[0]
    assert seen["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert re.fullmatch(r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-a-b", seen["x-amzn-trace-id"])


@pytest.mark.parametrize(("drops", "kept"), [("true", False), ("false", True)])
def test_names_of_headers_that_break_the_rules_go_no_further(scene: Scene, drops: str, kept: bool) -> None:
    balancer = scene.balancer(described(routing__http__drop_invalid_header_fields__enabled=drops))
    server = scene.server()
    scene.register(balancer, server)
    guest = visitor(balancer)
    guest.connection.request("GET", "/", headers={"X_Underscore": "1", "X-Fine": "1"})
    assert guest.connection.getresponse().status == 200
    assert ("x_underscore" in server.seen[0], "x-fine" in server.seen[0]) == (kept, True)


def test_connections_to_a_server_are_kept_and_shared_by_all_clients(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    for _ in range(10):
        assert visitor(balancer).get()[0] == 200
    assert server.connections <= 2


def test_a_client_keeps_no_connection_for_longer_than_is_set(scene: Scene) -> None:
    balancer, server = scene.balancer(described(client_keep_alive__seconds="1")), scene.server()
    scene.register(balancer, server)
    guest = visitor(balancer)

    def told() -> str | None:
        guest.connection.request("GET", "/")
        answer = guest.connection.getresponse()
        answer.read()
        return answer.headers.get("Connection")

    assert told() is None
    time.sleep(2.1)
    assert told() == "close"


def test_redirects_lead_to_the_same_page(scene: Scene) -> None:
    to_tls = Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301)
    balancer = scene.balancer(replace(described(), listeners=(Listener(80, False, to_tls),)))
    guest = visitor(balancer)

    def location(path: str) -> str | None:
        guest.connection.request("GET", path, headers={"Host": "learn.example:80"})
        answer = guest.connection.getresponse()
        answer.read()
        assert answer.status == 301
        return answer.headers["Location"]

    assert location("/courses/1?page=2&q=a%20b") == "https://learn.example:443/courses/1?page=2&q=a%20b"
    assert location("/") == "https://learn.example:443/"


def test_an_answer_of_its_own(scene: Scene) -> None:
    fixed = Fixed(418, "text/plain", "it's a 'teapot'")
    balancer = scene.balancer(replace(described(), listeners=(Listener(80, False, fixed),)))
    assert visitor(balancer).get() == (418, "it's a 'teapot'")


def test_tls_ends_here(scene: Scene, tmp_path: Path) -> None:
    import ssl
    import urllib.request

    key, certificate, both = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_text(certificate.read_text() + key.read_text())
    plain = described().listeners[0]
    wanted = replace(described(), listeners=(Listener(443, True, plain.action),))
    balancer, server = scene.balancer(wanted, certificate=both), scene.server()
    scene.register(balancer, server)
    port = balancer.nodes[0].place.ports[443]
    trusted = ssl.create_default_context(cafile=str(certificate))
    with urllib.request.urlopen(f"https://localhost:{port}/", context=trusted) as answer:
        assert answer.status == 200
    assert (server.seen[0]["x-forwarded-proto"], server.seen[0]["x-forwarded-port"]) == ("https", "443")


# ------------------------------------------------------------------------------------------------------ health


def test_one_passed_check_brings_a_server_into_service_and_none_is_asked_before(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server(healthy=False)
    scene.register(balancer, server, wait=False)
    assert state(balancer, server) == "initial"
    guest = visitor(balancer)
    assert guest.get()[0] == 503  # nobody to ask
    until(lambda: len(server.checks) == 1)
    server.healthy = True
    until(lambda: state(balancer, server) == "healthy")
    assert len(server.checks) <= 3
    assert guest.get() == (200, "127.0.0.2")


def test_thresholds_are_kept(scene: Scene) -> None:
    balancer, server, other = scene.balancer(), scene.server(), scene.server()
    scene.register(balancer, server, other)
    server.healthy = False
    before = len(server.checks)
    until(lambda: state(balancer, server) == "unhealthy")
    assert 3 <= len(server.checks) - before <= 4
    assert balancer.states(GROUP)[name(server)].reason == "Target.ResponseCodeMismatch"
    guest = visitor(balancer)
    assert {guest.get()[1] for _ in range(6)} == {other.address}
    server.healthy = True
    before = len(server.checks)
    until(lambda: state(balancer, server) == "healthy")
    assert 2 <= len(server.checks) - before <= 3


def test_a_server_that_never_passes_becomes_unhealthy(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server(healthy=False)
    scene.register(balancer, server, wait=False)
    until(lambda: state(balancer, server) == "unhealthy")
    assert 3 <= len(server.checks) <= 4


def test_when_all_are_unhealthy_all_are_asked(scene: Scene) -> None:
    balancer, servers = scene.balancer(), [scene.server(), scene.server()]
    scene.register(balancer, *servers)
    for server in servers:
        server.healthy = False
    until(lambda: all(state(balancer, server) == "unhealthy" for server in servers))
    guest = visitor(balancer)
    assert {guest.get()[1] for _ in range(6)} == {"127.0.0.2", "127.0.0.3"}
    servers[0].healthy = True
    until(lambda: state(balancer, servers[0]) == "healthy")
    time.sleep(0.3)
    assert {guest.get()[1] for _ in range(6)} == {"127.0.0.2"}


def test_every_zone_asks_every_server_and_a_lost_zone_is_only_that(scene: Scene) -> None:
    balancer, server = scene.balancer(zones=("a", "b")), scene.server()
    scene.register(balancer, server)
    assert [visitor(balancer, node).get()[0] for node in (0, 1)] == [200, 200]
    balancer.nodes[0].stop()
    assert [visitor(balancer, node).get()[0] for node in (0, 1)] == [0, 200]
    assert state(balancer, server) == "healthy"
    balancer.deregister(GROUP, name(server))
    until(lambda: state(balancer, server) == "")


# ------------------------------------------------------------------------------------------------------ errors


def test_a_server_that_refuses_a_connection_is_502(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    server.stop()
    assert visitor(balancer).get()[0] == 502


def test_a_server_that_says_503_itself_is_let_speak(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server(status=503)
    scene.register(balancer, server)
    assert visitor(balancer).get() == (503, "127.0.0.2")


@pytest.mark.parametrize(("keep_alive", "lost"), [(75.0, 0), (0.2, 3)])
def test_a_server_that_closes_first_costs_requests(scene: Scene, keep_alive: float, lost: int) -> None:
    """The load balancer keeps its connections for 60 s: a server has to keep them for longer."""
    balancer, server = scene.balancer(), scene.server(keep_alive=keep_alive)
    scene.register(balancer, server)
    guest = visitor(balancer)
    for _ in range(6):
        guest.get()
        time.sleep(0.25)
    assert guest.statuses.count(502) == lost, guest.statuses
    assert len(guest.lost) == lost


def test_an_idle_connection_is_closed_by_the_load_balancer(scene: Scene) -> None:
    balancer, server = scene.balancer(described(idle_timeout__timeout_seconds="1")), scene.server(slow=2.5)
    scene.register(balancer, server)
    assert visitor(balancer).get()[0] == 504


# ------------------------------------------------------------------------------------------------------ leaving


def test_no_request_is_lost_while_a_server_is_drained_and_another_comes(scene: Scene) -> None:
    balancer, old = scene.balancer(), scene.server(slow=0.02)
    scene.register(balancer, old)
    visitors = [visitor(balancer) for _ in range(8)]
    with visiting(visitors):
        time.sleep(0.5)
        new = scene.server(slow=0.02)
        scene.register(balancer, new)
        balancer.deregister(GROUP, name(old))
        time.sleep(0.1)  # what was under way has arrived
        asked = len(old.seen)
        assert state(balancer, old) == "draining"
        until(lambda: state(balancer, old) == "")
        assert len(old.seen) == asked, "a drained server got a new request"
        old.stop()
        time.sleep(0.3)
    assert sum(len(one.statuses) for one in visitors) > 200
    assert [one.lost for one in visitors if one.lost] == []
    assert len(new.seen) > 50


def test_a_server_that_is_stopped_without_draining_costs_requests(scene: Scene) -> None:
    # The counterpart of the test above: its visitors would notice.
    balancer, servers = scene.balancer(), [scene.server(slow=0.02), scene.server(slow=0.02)]
    scene.register(balancer, *servers)
    visitors = [visitor(balancer) for _ in range(8)]
    with visiting(visitors):
        time.sleep(0.3)
        servers[0].keep_alive = 0.0
        servers[0].stop()
        time.sleep(0.5)
    assert any(one.lost for one in visitors)


@pytest.mark.parametrize(("slow", "status"), [(1.0, 200), (4.0, 502)])
def test_what_is_under_way_has_the_deregistration_delay_to_end(scene: Scene, slow: float, status: int) -> None:
    balancer, server = scene.balancer(), scene.server(slow=slow)  # 30 s of delay at this scale are 1.5
    scene.register(balancer, server)
    guest = visitor(balancer)
    thread = threading.Thread(target=guest.get, daemon=True)
    thread.start()
    until(lambda: server.seen)
    balancer.deregister(GROUP, name(server))
    assert visitor(balancer).get()[0] == 503  # no new request, and nobody else to ask
    thread.join()
    assert guest.statuses == [status]


def test_signing_in_again_ends_the_draining(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    balancer.deregister(GROUP, name(server))
    assert state(balancer, server) == "draining"
    scene.register(balancer, server)
    time.sleep(2)
    assert state(balancer, server) == "healthy"
    assert visitor(balancer).get()[0] == 200


def test_what_each_server_answered_is_counted(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    guest = visitor(balancer)
    guest.get()
    server.status = 500
    guest.get()
    assert balancer.counts(GROUP) == {name(server): (2, 1)}


# ------------------------------------------------------------------------------------------------------ bad input


def test_a_taken_port_is_said_in_haproxys_own_words(scene: Scene, tmp_path: Path) -> None:
    server = scene.server()
    place = Place("a", address=server.address, ports={80: server.port})
    balancer = LoadBalancer(described(), [place], tmp_path)
    with pytest.raises(CommandFailed, match="haproxy did not start"):
        balancer.start()
    assert not balancer.nodes[0].running


def test_no_query_stands_in_the_log(scene: Scene) -> None:
    balancer, server = scene.balancer(), scene.server()
    scene.register(balancer, server)
    visitor(balancer).get("/page?token=secret")
    log = balancer.nodes[0].log
    until(lambda: "/page" in log.read_text())
    assert "secret" not in log.read_text()
