"""A server that cannot be one stays out of service and says why on its console; the next one is not harmed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.instance.conftest import BUCKET, Surroundings, healthy

from lyceum_lab.cloud.servers.machine import Machine
from lyceum_ops.artifact import ARCHIVE, MANIFEST, Artifact

pytestmark = pytest.mark.machine
Refused = Callable[..., tuple[Machine, str]]


@pytest.fixture
def refused(surroundings: Surroundings) -> Iterator[Refused]:
    """Boots a server that must not come into service. Gives it and what its console said."""
    booted: list[Machine] = []

    def boot(release: str, **arguments: str) -> tuple[Machine, str]:
        home = arguments.pop("home", "")
        machine = surroundings.boot(release, home=Path(home) if home else None, **arguments)
        booted.append(machine)
        assert not machine.wait_for_user_data(300), machine.console.read_text()
        assert not healthy(machine)
        return machine, machine.console.read_text()

    yield boot
    for machine in booted:
        machine.kill()


def test_an_altered_artifact_is_not_installed(surroundings: Surroundings, release: Artifact, refused: Refused) -> None:
    altered = bytearray(release.archive.read_bytes())
    altered[len(altered) // 2] ^= 1
    s3 = surroundings.client("s3")
    s3.put_object(Bucket=BUCKET, Key=f"altered/{ARCHIVE}", Body=bytes(altered))
    s3.put_object(Bucket=BUCKET, Key=f"altered/{MANIFEST}", Body=release.manifest.read_bytes())
    machine, said = refused("altered")
    assert f"{ARCHIVE}: FAILED" in said
    assert machine.exec("ls", "/opt/lyceum").stdout == ""


def test_a_missing_secret_is_said(surroundings: Surroundings, release: Artifact, refused: Refused) -> None:
    arn = surroundings.settings["LYCEUM_SECRET_KEY_ARN"] + "x"
    _, said = refused(release.version, LYCEUM_SECRET_KEY_ARN=arn)
    assert "lyceum: out of service: the platform did not start" in said
    assert f"Secrets Manager answers ResourceNotFoundException to {arn}" in said


def test_a_release_that_fails_its_self_test_is_not_started(
    surroundings: Surroundings, release: Artifact, refused: Refused
) -> None:
    machine, said = refused(release.version, ALLOWED_HOSTS="*")
    assert "lyceum: out of service: the release fails its self-test: FAILED settings: ALLOWED_HOSTS admits" in said
    assert machine.exec("systemctl", "is-active", "lyceum.service").stdout.strip() == "inactive"


def test_a_full_disk_is_said(surroundings: Surroundings, release: Artifact, refused: Refused, tmp_path: Path) -> None:
    # A disk of its own, so that nobody else's is filled.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640m", "tmpfs", tmp_path], check=True)
    try:
        machine, said = refused(release.version, before="fallocate -l 250M /var/filler", home=str(tmp_path))
        assert "lyceum: out of service: the disk is full" in said
        machine.kill()
    finally:
        subprocess.run(["umount", tmp_path], check=True)
