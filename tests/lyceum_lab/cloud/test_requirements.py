"""What the cloud on one machine says where it cannot be: a line that tells what to do, and nothing is left."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lyceum_lab.cloud import leftovers, rehearse
from lyceum_lab.cloud.network import namespaces
from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool

pytestmark = pytest.mark.namespaces


def test_without_root_it_names_the_command_that_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LyceumError, match=r"needs root.*\./lyceum up"):
        rehearse.require()


@pytest.mark.parametrize("program", ["ip", "nft", "debootstrap", "systemd-nspawn", "haproxy", "dnsmasq"])
def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    real = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *more, **named: None if name == program else real(name))
    with pytest.raises(MissingTool, match=rf"{program} is not.*apt-get install"):
        rehearse.require()


def test_a_kernel_that_makes_no_namespaces_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_names: object) -> None:
        raise CommandFailed("ip failed: Operation not permitted")

    monkeypatch.setattr(namespaces, "create", refuse)
    with pytest.raises(LyceumError, match=r"no network namespaces.*Operation not permitted.*\./lyceum up"):
        rehearse.require()


def test_what_a_crash_left_is_removed_and_what_is_anothers_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = namespaces.key(tmp_path / "mine"), namespaces.key(tmp_path / "other")
    namespaces.create([f"{mine}router", f"{other}router"])
    try:
        with monkeypatch.context() as ordinary:
            ordinary.setattr(os, "geteuid", lambda: 1000)
            with pytest.raises(LyceumError, match=r"sudo \./lyceum down"):
                leftovers.clean(tmp_path / "mine")
        leftovers.clean(tmp_path / "mine")
        assert namespaces.left(mine) == []
        assert namespaces.left(other) == [f"{other}router"]
        assert leftovers.clean(tmp_path / "mine") == 0
    finally:
        namespaces.remove(namespaces.left(other))
    assert not subprocess.run(["ip", "netns", "pids", f"{other}router"], capture_output=True, check=False).stdout
