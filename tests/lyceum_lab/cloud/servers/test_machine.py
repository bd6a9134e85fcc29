"""Machines of the lab: bounded, entered, measured; nothing of one is left however it ended."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.cloud.network import namespaces
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.servers import cgroups, image, recipe
from lyceum_lab.cloud.servers import machine as machines
from lyceum_lab.cloud.servers.image import Image
from lyceum_lab.cloud.servers.machine import Machine
from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool


def test_without_its_programs_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = "debootstrap is not there" if os.geteuid() == 0 else "only root may make"
    with pytest.raises(MissingTool, match=said):
        image.require_tools()


def test_another_recipe_is_another_root(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.fingerprint()
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "one-more"))
    assert recipe.fingerprint() != before


@pytest.fixture(scope="module")
def root() -> Image:
    return Image.ensure(paths.HOME, say=print)


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    found = Namespace(f"{namespaces.key(tmp_path_factory.mktemp('network'))}host")
    namespaces.create([found.name])
    found.ip("link set lo up")
    yield found
    namespaces.remove([found.name])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "machines"
    machines.clean(tmp_path / "machines")


def boot(root: Image, home: Path, namespace: Namespace) -> Machine:
    name = f"i-{secrets.token_hex(4)}"
    return Machine.boot(root, home, name=name, namespace=namespace.path, resolver="127.0.0.1")


def left(home: Path) -> list[str]:
    """Whatever of a machine below `home` is still there."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(home) in line]
    groups = [str(path) for path in cgroups._roots(home).values() if path.exists()]
    running = subprocess.run(["pgrep", "-af", f"systemd-nspawn.*{home}"], capture_output=True, text=True).stdout
    files = [str(path) for path in home.iterdir()] if home.exists() else []
    return [*mounts, *groups, *running.splitlines(), *files]


@pytest.mark.machine
def test_it_boots_bounded_and_is_entered_and_measured(root: Image, home: Path, namespace: Namespace) -> None:
    machine = boot(root, home, namespace)
    assert machine.exec("hostname").stdout.strip() == machine.name
    assert machine.exec("sh", "-c", "exit 3").returncode == 3
    with pytest.raises(CommandFailed, match="took longer"):
        machine.exec("sleep", "30", seconds=1)
    before = machine.cpu_seconds()
    machine.exec("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    assert machine.cpu_seconds() > before
    small = machine.pss_bytes()
    assert small > 5 * 2**20
    hog = subprocess.Popen(
        machine.argv("python3", "-c", "x = bytearray(100 << 20); print(1, flush=True); import time; time.sleep(60)"),
        stdout=subprocess.PIPE, preexec_fn=machine.groups.join,
    )  # fmt: skip
    assert hog.stdout is not None
    assert hog.stdout.readline() == b"1\n"
    assert machine.pss_bytes() > small + 90 * 2**20
    if "memory" in machine.groups.bounded:
        # What needs more than the server has is ended by the kernel, not by this machine's memory running out.
        greedy = machine.exec("python3", "-c", "x = bytearray(1200 << 20)")
        assert greedy.returncode != 0
    hog.kill()
    hog.wait()
    machine.terminate()
    assert left(home) == []


@pytest.mark.machine
def test_what_a_killed_supervisor_leaves_is_found_and_ended(root: Image, home: Path, namespace: Namespace) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from lyceum_lab.cloud.servers.image import Image; from lyceum_lab.cloud.servers.machine import Machine\n"
        "Machine.boot(Image(Path(sys.argv[1])), Path(sys.argv[2]), name='i-left', namespace=Path(sys.argv[3]),"
        " resolver='127.0.0.1'); print('booted', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, root.root, home, namespace.path], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(paths.SRC)},
    ) as supervisor:  # fmt: skip
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"booted\n"
        supervisor.send_signal(signal.SIGKILL)
    assert left(home) != []
    assert machines.clean(home) >= 2
    deadline = time.monotonic() + 10
    while left(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left(home) == []
    assert machines.clean(home) == 0


@pytest.mark.machine
def test_what_cannot_boot_is_refused_in_a_sentence(root: Image, home: Path, namespace: Namespace) -> None:
    with pytest.raises(LyceumError, match="no host name"):
        Machine.boot(root, home, name="../i", namespace=namespace.path, resolver="127.0.0.1")
    with pytest.raises(LyceumError, match="no network namespace"):
        Machine.boot(root, home, name="i-1", namespace=Path("/run/netns/nowhere"), resolver="127.0.0.1")
    with pytest.raises(LyceumError, match="no certificate"):
        Machine.boot(root, home, name="i-1", namespace=namespace.path, resolver="127.0.0.1", authority="none")
    machines.clean(home)
    machine = boot(root, home, namespace)
    with pytest.raises(LyceumError, match="is there already"):
        Machine.boot(root, home, name=machine.name, namespace=namespace.path, resolver="127.0.0.1")
    machine.kill()
    assert left(home) == []
    with pytest.raises(LyceumError, match="is not running"):
        machine.exec("true")
