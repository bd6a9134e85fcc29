"""The locked wheels of the platform, as a server needs them: fetched once, kept, held against the lock each time."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lyceum_ops.errors import CommandFailed, LyceumError

PYTHON = "3.11"
# Amazon Linux 2023 has glibc 2.34, Debian 12 has 2.36.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64")


def fetch(lock: Path, cache: Path, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder of the wheels that `lock` names, below `cache`. Raises LyceumError when they cannot be had.

    A wheel in the cache that the lock does not vouch for is not used: the folder is made anew.
    """
    text = lock.read_bytes()
    folder = cache / hashlib.sha256(text + " ".join((PYTHON, *PLATFORMS)).encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    # Two builds at once would download into each other's folder.
    with (cache / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.is_dir() and not offences(lock, folder):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        say("downloading the locked wheels (once)")
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            half = Path(temporary) / "wheels"
            _download(lock, half)
            if wrong := offences(lock, half):
                raise LyceumError(f"The wheels differ from {lock.name}: {wrong[0]}.", "Check the package index.")
            half.replace(folder)
    return folder


def _download(lock: Path, into: Path) -> None:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON,
            *(part for platform in PLATFORMS for part in ("--platform", platform)),
            "--dest", str(into), "--requirement", str(lock)]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = ([line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"])[-1]
        raise CommandFailed(
            f"The wheels could not be downloaded: {last}", "Check the network or PIP_INDEX_URL.", (done.stderr,)
        )


def names(lock: Path) -> dict[str, str]:
    """Version of every package in the lock that Linux needs, by its name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)(.*)", lock.read_text(), re.MULTILINE)
    return {name: version for name, version, marker in found if "sys_platform == 'win32'" not in marker}


def offences(lock: Path, folder: Path) -> list[str]:
    """What keeps this folder from being exactly the lock's wheels; empty when nothing does."""
    known = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text()))
    found = sorted(folder.iterdir())
    wrong = [f"{path.name} is none of its files" for path in found
             if hashlib.sha256(path.read_bytes()).hexdigest() not in known]  # fmt: skip
    there = {_normal(path.name.split("-")[0]) for path in found}
    return wrong + [f"{name} is missing" for name in names(lock) if _normal(name) not in there]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
