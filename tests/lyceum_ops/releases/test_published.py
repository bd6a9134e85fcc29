"""An artifact is stored under its version: checked before and after, written once, never overwritten."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.lyceum_ops.releases.conftest import BUCKET, Dev

from lyceum_ops.errors import LyceumError, Refused, Usage
from lyceum_ops.releases.published import built


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What ./lyceum artifact leaves."""
    return artifact(tmp_path / "1.0", b"an archive")


def artifact(folder: Path, archive: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "lyceum.tar.gz").write_bytes(archive)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(archive).hexdigest()}  lyceum.tar.gz\n")
    return folder


def test_what_is_published_can_be_released(dev: Dev, folder: Path) -> None:
    published = dev.production().published
    assert published.publish(built(folder))
    assert published.check("1.0") == hashlib.sha256(b"an archive").hexdigest()
    assert not published.publish(built(folder)), "the very same again is no fault"
    assert published.versions() == ["1.0"]


def test_a_folder_that_holds_one_version_will_do(folder: Path) -> None:
    assert built(folder.parent).version == "1.0"
    artifact(folder.parent / "2.0", b"another")
    with pytest.raises(Usage, match=r"holds no lyceum\.tar\.gz"):
        built(folder.parent)


def test_a_release_is_never_overwritten(dev: Dev, folder: Path) -> None:
    published = dev.production().published
    published.publish(built(folder))
    with pytest.raises(Refused, match=r"holds another 1\.0/lyceum\.tar\.gz: a version is written once"):
        published.publish(built(artifact(folder, b"another")))
    assert published.check("1.0") == hashlib.sha256(b"an archive").hexdigest()


def test_an_upload_that_was_cut_short_is_finished_by_the_next(dev: Dev, folder: Path) -> None:
    published, s3 = dev.production().published, dev.session.client("s3")
    s3.put_object(Bucket=BUCKET, Key="1.0/lyceum.tar.gz", Body=b"an archive")
    assert published.publish(built(folder))
    assert published.versions() == ["1.0"]


def test_what_is_no_artifact_is_not_published(dev: Dev, folder: Path, tmp_path: Path) -> None:
    published = dev.production().published
    (folder / "lyceum.tar.gz").write_bytes(b"an archivE")
    with pytest.raises(Refused, match=r"is not what manifest\.sha256 says"):
        published.publish(built(folder))
    (folder / "manifest.sha256").unlink()
    with pytest.raises(Usage, match=r"holds no manifest\.sha256"):
        published.publish(built(folder))
    with pytest.raises(Usage, match=r"holds no lyceum\.tar\.gz"):
        built(tmp_path / "nowhere")
    assert published.versions() == []


def test_an_environment_that_was_not_applied_says_so(dev: Dev) -> None:
    s3 = dev.session.client("s3")
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(LyceumError, match=r"no bucket .*dev was not applied"):
        dev.production().published.check("1.0")
