"""Builds the artifact: the platform, its collected static files, its locked wheels, the scripts of a server.

The same commit gives the same bytes, on any machine and at any time: whoever doubts a release can build it again and
compare. Nothing of the machine goes in: neither its time, nor its users, nor the address of its package index.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lyceum_ops.artifact import archive, wheels
from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool, Refused

ARCHIVE, MANIFEST, RELEASE = "lyceum.tar.gz", "manifest.sha256", "release.json"
INCLUDED = ("src/lyceum", "instance", "manage.py")
LOCK = "requirements/platform.txt"
LARGEST = 60 * 2**20  # a server fetches it at every boot

_LAST_MIGRATIONS = """
import json, django
django.setup()
from django.db.migrations.loader import MigrationLoader
print(json.dumps(dict(sorted(MigrationLoader(None).graph.leaf_nodes()))))
"""


@dataclass(frozen=True)
class Artifact:
    """A built release: its version, the archive and the manifest beside it, the archive's SHA-256 and bytes."""

    version: str
    archive: Path
    manifest: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class _Commit:
    name: str
    time: int
    dirty: bool


def build(
    checkout: Path,
    out: Path,
    *,
    cache: Path,
    allow_dirty: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Artifact:
    """Build the artifact of the checked-out commit into `out/<version>/`; wheels are kept in `cache`.

    Raises Refused for changes that are in no commit, unless `allow_dirty`: then the version says so. Raises
    LyceumError when something that goes in cannot be had, or the archive is too large for a server.
    """
    commit = _commit(checkout)
    if commit.dirty and not allow_dirty:
        raise Refused(
            "The checkout holds changes that are in no commit: nobody could build this release again.",
            "Commit them, or say --allow-dirty: the version then says so.",
        )
    lock = checkout / LOCK
    _require_locked(lock)
    kept = wheels.fetch(lock, cache, say=say)
    with tempfile.TemporaryDirectory(prefix="lyceum-artifact-") as temporary:
        stage = Path(temporary) / "release"
        _copy(checkout, stage, untracked=commit.dirty)
        shutil.copyfile(lock, stage / "requirements.txt")
        shutil.copytree(kept, stage / "wheels")
        say("collecting static files")
        _collect_static(stage)
        migrations = json.loads(_python(stage, "-c", _LAST_MIGRATIONS))
        files = {path.relative_to(stage).as_posix(): sha256(path) for path in sorted(stage.rglob("*"))
                 if path.is_file()}  # fmt: skip
        version = _version(commit, files)
        (stage / RELEASE).write_text(
            json.dumps(
                {
                    "version": version,
                    "commit": commit.name,
                    "committed": datetime.fromtimestamp(commit.time, UTC).isoformat(),
                    "dirty": commit.dirty,
                    "python": wheels.PYTHON,
                    "migrations": migrations,
                    "files": files,
                },
                indent=1,
            )
            + "\n"
        )
        say("packing")
        return _pack(stage, out / version, version, commit.time)


def _pack(stage: Path, folder: Path, version: str, time: int) -> Artifact:
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f"{ARCHIVE}.part"
    try:
        archive.write(stage, half, time=time)
        size, digest = half.stat().st_size, sha256(half)
        if size > LARGEST:
            raise LyceumError(
                f"The artifact has {size / 2**20:.0f} MiB; a server fetches at most {LARGEST / 2**20:.0f}.",
                "See in its release.json what has grown.",
            )
        (folder / MANIFEST).write_text(f"{digest}  {ARCHIVE}\n")
        half.replace(folder / ARCHIVE)
    finally:
        half.unlink(missing_ok=True)
    return Artifact(version, folder / ARCHIVE, folder / MANIFEST, digest, size)


def _version(commit: _Commit, files: dict[str, str]) -> str:
    day = datetime.fromtimestamp(commit.time, UTC).strftime("%Y.%m.%d")
    if not commit.dirty:
        return f"{day}-{commit.name[:12]}"
    # Two changed checkouts of one commit are two versions.
    return f"{day}-{commit.name[:12]}-dirty-{hashlib.sha256(json.dumps(files).encode()).hexdigest()[:8]}"


def _commit(checkout: Path) -> _Commit:
    name, time = _git(checkout, "show", "--no-patch", "--format=%H %ct", "HEAD").split()
    return _Commit(name, int(time), bool(_git(checkout, "status", "--porcelain")))


def _copy(checkout: Path, stage: Path, *, untracked: bool) -> None:
    options = ("--cached", "--others", "--exclude-standard") if untracked else ("--cached",)
    for name in _git(checkout, "ls-files", "-z", *options, "--", *INCLUDED).split("\0"):
        source, target = checkout / name, stage / name
        if not name or not (source.exists() or source.is_symlink()):  # deleted, in a dirty checkout
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
        if not target.is_symlink():
            target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _collect_static(stage: Path) -> None:
    _python(stage, "manage.py", "collectstatic", "--no-input", "--verbosity", "0")
    static = stage / "static"
    # Made again on the server: how a file is compressed depends on the zlib that does it.
    for compressed in static.rglob("*.gz"):
        if compressed.with_suffix("").exists():
            compressed.unlink()
    # In the order of the machine's directories.
    listing = static / "staticfiles.json"
    listing.write_text(json.dumps(json.loads(listing.read_text()), sort_keys=True, indent=1) + "\n")
    for path in static.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _python(stage: Path, *arguments: str) -> str:
    """Run Python with the staged platform and none of the user's settings. Returns what it printed."""
    env = {
        "PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(stage / "src"), "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "lyceum.settings", "LYCEUM_VAR_DIR": str(stage), "COLLECTED_STATIC": "1",
        # Beside the stage: the platform makes a folder that nobody named, and it would be packed.
        "SHARED_FILES_DIR": str(stage.with_name("shared")),
        "SECRET_KEY": "signs nothing: only files are collected", "DATABASE_URL": "sqlite://:memory:",
    }  # fmt: skip
    done = subprocess.run([sys.executable, *arguments], cwd=stage, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CommandFailed(f"The platform could not be prepared for the artifact: {last}", "", (done.stderr,))
    return done.stdout


def _require_locked(lock: Path) -> None:
    """Static files and migrations come from the packages beside this Python: they have to be the lock's."""
    for name, version in wheels.names(lock).items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            raise LyceumError(f"{name} is {found} here and {version} in {LOCK}.", "Delete .venv and run it again.")


def _git(checkout: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise MissingTool("git is not there: it tells which commit a release is.", "Install git.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CommandFailed(f"git {arguments[0]} failed: {last}", "A release is built in a clone of the repository.")
    return done.stdout.strip()


def sha256(path: Path) -> str:
    """Of a file, which is never held in memory as a whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
