"""A server boots from its user data, comes into service, and stays there whatever happens to it."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from tests.instance.conftest import Surroundings, eventually, healthy

from lyceum_lab.cloud.servers.machine import Machine
from lyceum_ops.artifact import Artifact

pytestmark = pytest.mark.machine
UNIT = "/etc/systemd/system/lyceum.service"


@pytest.fixture(scope="module")
def server(surroundings: Surroundings, release: Artifact) -> Iterator[Machine]:
    began = time.monotonic()
    machine = surroundings.boot(release.version)
    well = machine.wait_for_user_data(300)
    print(f"in service {time.monotonic() - began:.1f} s after it was asked for")
    assert well, machine.console.read_text()
    yield machine
    began = time.monotonic()
    machine.terminate()
    assert time.monotonic() - began < 30, "it did not shut down in order"


def shown(server: Machine, name: str) -> str:
    return server.exec("systemctl", "show", "lyceum.service", f"--property={name}", "--value").stdout.strip()


def test_it_is_in_service_and_says_so(server: Machine, release: Artifact) -> None:
    assert healthy(server)
    assert f"lyceum: in service: release {release.version}" in server.console.read_text()
    page = server.exec("curl", "-sf", "-H", "Host: lyceum.example", "http://127.0.0.1:8000/").stdout
    (style,) = set(re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)) or {""}
    asked = ["curl", "-sf", "-o", "/dev/null", "-D", "-", "-H", "Host: lyceum.example", "-H", "Accept-Encoding: gzip"]
    assert "content-encoding: gzip" in server.exec(*asked, f"http://127.0.0.1:8000{style}").stdout.lower()


def test_its_units_are_sound_and_the_platforms_is_hardened(server: Machine) -> None:
    verified = server.exec(
        "sh", "-c", "systemd-analyze verify /etc/systemd/system/lyceum*.* /etc/systemd/system/*.mount"
    )
    assert verified.stderr.strip() == ""
    assert server.exec("systemd-analyze", "security", "--threshold=25", "lyceum.service").returncode == 0
    assert "EXEC" in server.exec("sh", "-c", f"cat {UNIT}").stdout.upper()
    # Without one of its lines it would not do.
    server.exec(
        "sh", "-c", f"grep -v -e ^User= -e ^CapabilityBoundingSet= -e ^SystemCallFilter= {UNIT} >/run/soft.service"
    )
    softer = ["systemd-analyze", "security", "--offline=true", "--threshold=25", "/run/soft.service"]
    assert server.exec(*softer).returncode != 0


def test_its_bounds_suit_a_gibibyte(server: Machine) -> None:
    assert int(shown(server, "MemoryMax")) <= 700 * 2**20
    assert int(shown(server, "TasksMax")) <= 128
    used = server.pss_bytes()
    print(f"{used / 2**20:.0f} MiB PSS, {server.cpu_seconds():.1f} s of CPU since it booted")
    assert 50 * 2**20 < used < 512 * 2**20
    assert server.report_memory() == pytest.approx(100 * used / 2**30, rel=0.1)


def test_its_secrets_stand_in_the_environment_alone(server: Machine, surroundings: Surroundings) -> None:
    kept = surroundings.client("secretsmanager")
    for name in ("database", "secret-key"):
        secret = kept.get_secret_value(SecretId=f"lyceum-dev-{name}")["SecretString"]
        places = "/etc /opt /var/log /var/lib /run /srv /tmp /root"
        found = server.exec("sh", "-c", f"grep -rlsF -f - {places}", stdin=f"{secret}\n")
        assert found.stdout == ""
        argv = server.exec("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'").stdout
        assert secret not in argv
        pid = shown(server, "MainPID")
        assert secret in server.exec("cat", f"/proc/{pid}/environ").stdout


def test_killed_it_is_started_again_and_the_console_says_why(server: Machine) -> None:
    before = shown(server, "MainPID")
    server.exec("kill", "-9", before)
    assert eventually(lambda: shown(server, "MainPID") not in {before, "0"} and healthy(server), 60)
    assert "lyceum: the platform ended (signal, killed KILL)" in server.console.read_text()


def test_a_killed_worker_is_replaced(server: Machine) -> None:
    main = shown(server, "MainPID")
    worker = server.exec("sh", "-c", f"pgrep -P {main} -f 'instance/serve[.]py'").stdout.split()
    server.exec("kill", "-9", *worker)
    assert eventually(lambda: healthy(server), 60)


def test_hung_it_is_started_again(server: Machine) -> None:
    server.exec("mkdir", "-p", "/run/systemd/system/lyceum.service.d")
    short = "[Service]\nWatchdogSec=15\n"
    server.exec("sh", "-c", "cat >/run/systemd/system/lyceum.service.d/short.conf", stdin=short)
    server.exec("systemctl", "daemon-reload")
    server.exec("systemctl", "restart", "lyceum.service")
    assert healthy(server)
    main = shown(server, "MainPID")
    # The watchdog's own process goes on: what it cannot do is get an answer.
    server.exec("sh", "-c", "kill -STOP $(pgrep -f 'instance/serve[.]py')")
    assert eventually(lambda: shown(server, "MainPID") not in {main, "0"} and healthy(server), 60)
    assert "the platform ended (watchdog" in server.console.read_text()


def test_shared_files_lie_on_the_file_system(server: Machine, surroundings: Surroundings) -> None:
    as_service = ["setpriv", "--reuid=lyceum", "--regid=lyceum", "--clear-groups"]
    done = server.exec(*as_service, "sh", "-c", "echo hello >/srv/shared/note && stat -c %U /srv/shared/note")
    assert done.stdout == "lyceum\n", done.stderr
    assert (surroundings.shared / "note").read_text() == "hello\n"
    # From inside the service's own view of the disk as well, and nowhere else in it.
    inside = ["nsenter", f"--target={shown(server, 'MainPID')}", "--mount", *as_service]
    assert server.exec(*inside, "touch", "/srv/shared/from-the-service").returncode == 0
    assert "Read-only" in server.exec(*inside, "touch", "/opt/lyceum/current/mine").stderr
    server.exec("systemctl", "stop", "srv-shared.mount")
    assert server.exec(*as_service, "touch", "/srv/shared/lost").returncode != 0
    assert healthy(server)
    # The timer does this each minute.
    assert server.exec("systemctl", "start", "lyceum-shared-files.service").returncode == 0
    assert server.exec("cat", "/srv/shared/note").stdout == "hello\n"


def test_a_rotated_password_is_followed_without_a_restart(server: Machine, surroundings: Surroundings) -> None:
    before, password = shown(server, "MainPID"), secrets.token_urlsafe(24)
    surroundings.client("secretsmanager").put_secret_value(SecretId="lyceum-dev-database", SecretString=password)
    with psycopg.connect(surroundings.database.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE lyceum_app PASSWORD {}").format(sql.Literal(password)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lyceum_app'")
    assert all(healthy(server) for _ in range(8))
    assert shown(server, "MainPID") == before
    assert "the new one is in use" in server.exec("cat", "/var/log/lyceum/application.log").stdout


def test_logs_go_to_this_hours_stream(server: Machine, surroundings: Surroundings) -> None:
    agent = json.loads(server.exec("cat", "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json").stdout)
    streams = {each["log_stream_name"] for each in agent["logs"]["logs_collected"]["files"]["collect_list"]}
    (stream,) = streams
    assert re.fullmatch(rf"{server.name}/\d{{4}}-\d\d-\d\dT\d\d", stream)
    for group in ("system", "application"):
        sent = eventually(lambda group=group: stream in _streams(surroundings, group), 60)  # type: ignore[misc]
        assert sent, server.exec("systemctl", "status", "amazon-cloudwatch-agent").stdout


def _streams(surroundings: Surroundings, group: str) -> set[str]:
    found = surroundings.client("logs").describe_log_streams(logGroupName=f"/lyceum/dev/{group}")["logStreams"]
    return {each["logStreamName"] for each in found}


def test_a_lost_hour_is_noticed_at_the_next(server: Machine) -> None:
    target = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json"
    server.exec("sed", "-i", 's/T[0-9][0-9]\\"/T99\\"/', target)
    assert "T99" in server.exec("cat", target).stdout
    assert server.exec("systemctl", "start", "lyceum-logs.service").returncode == 0
    assert "T99" not in server.exec("cat", target).stdout
    assert "lyceum-logs.timer" in server.exec("systemctl", "list-timers", "--no-legend").stdout
