"""A server boots from its user data: it comes into service, stays there, and says on its console why it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.instance.conftest import Surroundings

from lyceum_lab.cloud.servers.machine import Machine
from lyceum_ops.artifact import Artifact

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module")
def server(surroundings: Surroundings, release: Artifact) -> Iterator[Machine]:
    machine = surroundings.boot(release.version)
    began = time.monotonic()
    well = machine.wait_for_user_data()
    print(machine.exec("sh", "-c", "systemd-analyze blame | head -5; cat /var/log/lyceum/application.log; systemctl list-units --failed; mount | grep efs; cat /opt/aws/amazon-cloudwatch-agent/etc/*.json | head -30; systemd-analyze security lyceum.service | tail -40; systemctl status lyceum.service lyceum-logs; journalctl -b -o short-precise -t cloud-init | tail -30").stdout)
    print(f"in service after {time.monotonic() - began:.1f} s")
    assert well, machine.console.read_text() + machine.exec("grep", "-i", "-B2", "-A8", "fail", "/var/log/cloud-init.log").stdout
    yield machine
    machine.terminate()


def healthy(server: Machine) -> bool:
    return server.exec("curl", "-sf", "--max-time", "5", "http://127.0.0.1:8000/healthz").returncode == 0


def test_it_is_in_service(server: Machine, release: Artifact) -> None:
    assert healthy(server)
    assert f"lyceum: in service: release {release.version}" in server.console.read_text()
