"""The artifact of a release: the same commit is the same bytes, nothing uncommitted in it, nothing overwritten."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator, start_emulator

from lyceum_ops import artifact
from lyceum_ops.artifact import archive, wheels
from lyceum_ops.artifact.build import LOCK, Artifact
from lyceum_ops.errors import CommandFailed, LyceumError, Refused

CHECKOUT = Path(__file__).resolve().parents[3]
BUCKET = "releases"
__all__ = ["start_emulator"]


@pytest.fixture(scope="session")
def cache() -> Path:
    return Path(os.environ.get("LYCEUM_HOME") or CHECKOUT / ".lyceum") / "wheels"


def git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
           "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "2026-11-26T12:00:00+01:00",
           "GIT_AUTHOR_DATE": "2026-11-26T12:00:00+01:00"}  # fmt: skip
    subprocess.run(["git", "-C", folder, *arguments], env={**os.environ, **who}, check=True, capture_output=True)


def clone(folder: Path) -> Path:
    """A repository of what goes into an artifact, as it is in this checkout, with one commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src/lyceum", "instance", "manage.py",
         LOCK],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name and (CHECKOUT / name).exists()]
    # In another order: a directory lists its files as they were made.
    for name in sorted(names, reverse=folder.name == "two"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, folder / name)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, Artifact]:
    folder = tmp_path_factory.mktemp("built")
    checkout = clone(folder / "one")
    return checkout, artifact.build(checkout, folder / "out", cache=cache)


def release(made: Artifact) -> dict[str, Any]:
    with tarfile.open(made.archive) as tar:
        file = tar.extractfile("release.json")
        assert file is not None
        found: dict[str, Any] = json.load(file)
        return found


def test_the_same_commit_is_the_same_bytes(built: tuple[Path, Artifact], tmp_path: Path, cache: Path) -> None:
    _, one = built
    other = clone(tmp_path / "two")
    for path in other.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (other / "src" / "lyceum" / "__pycache__").mkdir()
    (other / "src" / "lyceum" / "__pycache__" / "left.pyc").write_bytes(b"of this machine")
    os.umask(old := os.umask(0o077))
    two = artifact.build(other, tmp_path / "out", cache=cache)
    os.umask(old)
    assert one.version == two.version == f"2026.11.26-{_head(other)[:12]}"
    assert one.archive.read_bytes() == two.archive.read_bytes()


def _head(folder: Path) -> str:
    return subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()


def test_another_commit_is_another_version_and_other_bytes(
    built: tuple[Path, Artifact], tmp_path: Path, cache: Path
) -> None:
    _, one = built
    other = clone(tmp_path / "two")
    (other / "manage.py").write_text((other / "manage.py").read_text() + "\n# changed\n")
    git(other, "commit", "--quiet", "--all", "--message", "more")
    two = artifact.build(other, tmp_path / "out", cache=cache)
    assert two.version != one.version
    assert two.sha256 != one.sha256


def test_it_holds_what_a_server_needs_and_says_what_it_is(built: tuple[Path, Artifact]) -> None:
    checkout, made = built
    with tarfile.open(made.archive) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
    assert list(entries) == sorted(entries)
    assert {(entry.uid, entry.gid, entry.uname, entry.mode & 0o7022) for entry in entries.values()} == {
        (0, 0, "root", 0)
    }
    assert {
        "manage.py",
        "requirements.txt",
        "src/lyceum/wsgi.py",
        "instance/install.sh",
        "static/staticfiles.json",
    } <= (set(entries))
    assert not [name for name in entries if name.endswith((".pyc", ".gz")) or "secret" in name or "lyceum_lab" in name]
    assert {name.partition("/")[0] for name in entries} == {
        "instance", "manage.py", "release.json", "requirements.txt", "src", "static", "wheels",
    }  # fmt: skip
    told = release(made)
    assert told["commit"] == _head(checkout)
    assert told["version"] == made.version
    assert told["migrations"]["accounts"] == "0001_initial"
    assert set(told["files"]) == {name for name, entry in entries.items() if entry.isfile()} - {"release.json"}
    assert {name for name in entries if name.startswith("wheels/granian")}
    assert made.size <= 60 * 2**20


def test_it_names_no_package_index(built: tuple[Path, Artifact]) -> None:
    _, made = built
    with tarfile.open(made.archive) as tar:
        for name in ("requirements.txt", "release.json"):
            file = tar.extractfile(name)
            assert file is not None
            assert not re.search(rb"https?://|file:|index-url|find-links", file.read())


def test_its_manifest_vouches_for_it_and_for_nothing_else(built: tuple[Path, Artifact], tmp_path: Path) -> None:
    _, made = built
    check = ["sha256sum", "--check", "--strict", "--quiet", made.manifest.name]
    assert subprocess.run(check, cwd=made.archive.parent).returncode == 0
    for file in (made.archive, made.manifest):
        shutil.copy(file, tmp_path)
    altered = bytearray(made.archive.read_bytes())
    altered[len(altered) // 2] ^= 1
    (tmp_path / made.archive.name).write_bytes(bytes(altered))
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode != 0


def test_every_file_is_the_one_that_the_list_inside_names(built: tuple[Path, Artifact]) -> None:
    _, made = built
    listed = release(made)["files"]
    with tarfile.open(made.archive) as tar:
        for name, digest in listed.items():
            file = tar.extractfile(name)
            assert file is not None
            assert hashlib.file_digest(file, "sha256").hexdigest() == digest  # type: ignore[arg-type]


def test_changes_in_no_commit_are_refused_or_named(tmp_path: Path, cache: Path) -> None:
    checkout = clone(tmp_path / "one")
    (checkout / "src" / "lyceum" / "new.py").write_text('"""New."""\n')
    with pytest.raises(Refused, match="in no commit"):
        artifact.build(checkout, tmp_path / "out", cache=cache)
    made = artifact.build(checkout, tmp_path / "out", cache=cache, allow_dirty=True)
    assert f"{_head(checkout)[:12]}-dirty-" in made.version
    assert "src/lyceum/new.py" in release(made)["files"]
    assert release(made)["dirty"] is True


def test_outside_a_repository_it_says_so(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(CommandFailed, match="git"):
        artifact.build(tmp_path, tmp_path / "out", cache=cache)


def test_a_lock_that_this_python_does_not_have_is_refused(tmp_path: Path, cache: Path) -> None:
    checkout = clone(tmp_path / "one")
    lock = checkout / LOCK
    lock.write_text(re.sub(r"^django==\S+", "django==5.2.1", lock.read_text(), flags=re.MULTILINE))
    with pytest.raises(LyceumError, match=r"django is .* here and 5\.2\.1"):
        artifact.build(checkout, tmp_path / "out", cache=cache, allow_dirty=True)


def test_a_wheel_that_the_lock_does_not_vouch_for_is_noticed(tmp_path: Path, cache: Path) -> None:
    lock = CHECKOUT / LOCK
    kept = wheels.fetch(lock, cache)
    assert wheels.offences(lock, kept) == []
    (mine := tmp_path / "wheels").mkdir()
    for wheel in kept.iterdir():
        (mine / wheel.name).symlink_to(wheel)
    first = sorted(mine.iterdir())[0]
    content = first.read_bytes()
    first.unlink()
    assert wheels.offences(lock, mine) == [f"{first.name.split('-')[0].replace('_', '-')} is missing"]
    first.write_bytes(content + b"\0")
    assert wheels.offences(lock, mine) == [f"{first.name} is none of its files"]


def test_the_archive_is_sound_at_the_edges_of_its_blocks(tmp_path: Path) -> None:
    (source := tmp_path / "source").mkdir()
    for size in (0, 1, 65_535, 65_536, 200_000):
        (source / f"of-{size}").write_bytes(bytes(size))
    archive.write(source, tmp_path / "a.tar.gz", time=0)
    subprocess.run(["gzip", "--test", tmp_path / "a.tar.gz"], check=True)
    subprocess.run(["tar", "-xzf", tmp_path / "a.tar.gz", "-C", tmp_path], check=True)
    assert all((tmp_path / path.name).read_bytes() == path.read_bytes() for path in source.iterdir())
    assert gzip.decompress((tmp_path / "a.tar.gz").read_bytes())


def test_a_link_is_refused(tmp_path: Path) -> None:
    (source := tmp_path / "source").mkdir()
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(LyceumError, match="link is neither"):
        archive.write(source, tmp_path / "a.tar.gz", time=0)


# --- Publishing -----------------------------------------------------------------------------------------------------


class Session:
    def __init__(self, emulator: Emulator) -> None:
        self.client: Callable[[str], Any] = emulator.client


@pytest.fixture(scope="module")
def session(start_emulator: Callable[[], Emulator]) -> Session:
    found = Session(start_emulator())
    found.client("s3").create_bucket(Bucket=BUCKET)
    return found


def small(folder: Path, content: bytes, version: str = "v1") -> Artifact:
    folder.mkdir()
    (folder / artifact.ARCHIVE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / artifact.MANIFEST).write_text(f"{digest}  {artifact.ARCHIVE}\n")
    return Artifact(version, folder / artifact.ARCHIVE, folder / artifact.MANIFEST, digest, len(content))


def test_a_version_is_written_once(session: Session, tmp_path: Path) -> None:
    one, other = small(tmp_path / "one", b"one"), small(tmp_path / "other", b"other")
    assert artifact.publish(one, session, BUCKET) is True
    assert artifact.publish(one, session, BUCKET) is False
    with pytest.raises(Refused, match=r"another v1/lyceum\.tar\.gz"):
        artifact.publish(other, session, BUCKET)
    assert session.client("s3").get_object(Bucket=BUCKET, Key="v1/lyceum.tar.gz")["Body"].read() == b"one"
    assert artifact.publish(replace(other, version="v2"), session, BUCKET) is True


def test_a_publication_that_was_cut_short_is_finished(session: Session, tmp_path: Path) -> None:
    made = small(tmp_path / "one", b"three", "v3")
    session.client("s3").put_object(Bucket=BUCKET, Key="v3/lyceum.tar.gz", Body=b"three")
    assert artifact.publish(made, session, BUCKET) is True
    assert session.client("s3").get_object(Bucket=BUCKET, Key="v3/manifest.sha256")["Body"].read()


def test_a_bucket_that_is_not_there_is_one_sentence(session: Session, tmp_path: Path) -> None:
    with pytest.raises(LyceumError, match="NoSuchBucket"):
        artifact.publish(small(tmp_path / "one", b"one"), session, "nowhere")
