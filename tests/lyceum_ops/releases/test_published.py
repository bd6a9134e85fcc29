"""An artifact is stored under its version: checked before and after, written once, never overwritten."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.lyceum_ops.releases.conftest import BUCKET, Dev

from lyceum_ops.errors import LyceumError, Refused, Usage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What ./lyceum artifact leaves."""
    return artifact(tmp_path, b"an archive")


def artifact(folder: Path, archive: bytes) -> Path:
    (folder / "lyceum.tar.gz").write_bytes(archive)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(archive).hexdigest()}  lyceum.tar.gz\n")
    return folder


def test_what_is_published_can_be_released(dev: Dev, folder: Path) -> None:
    published = dev.production().published
    assert published.publish(folder, "1.0")
    assert published.check("1.0") == hashlib.sha256(b"an archive").hexdigest()
    assert not published.publish(folder, "1.0"), "the very same again is no fault"
    assert published.versions() == ["1.0"]


def test_a_release_is_never_overwritten(dev: Dev, folder: Path) -> None:
    published = dev.production().published
    published.publish(folder, "1.0")
    with pytest.raises(Refused, match=r"1\.0 is published already, with other bytes"):
        published.publish(artifact(folder, b"another"), "1.0")
    assert published.check("1.0") == hashlib.sha256(b"an archive").hexdigest()


def test_an_upload_that_was_cut_short_is_finished_by_the_next(dev: Dev, folder: Path) -> None:
    published, s3 = dev.production().published, dev.session.client("s3")
    s3.put_object(Bucket=BUCKET, Key="1.0/lyceum.tar.gz", Body=b"an archive")
    assert published.publish(folder, "1.0")
    s3.put_object(Bucket=BUCKET, Key="2.0/lyceum.tar.gz", Body=b"something else")
    with pytest.raises(Refused, match=r"left another archive"):
        published.publish(folder, "2.0")


def test_what_is_no_artifact_is_not_published(dev: Dev, folder: Path, tmp_path: Path) -> None:
    published = dev.production().published
    (folder / "lyceum.tar.gz").write_bytes(b"an archivE")
    with pytest.raises(Refused, match=r"is not what manifest\.sha256 says"):
        published.publish(folder, "1.0")
    (folder / "manifest.sha256").unlink()
    with pytest.raises(Usage, match=r"holds no manifest\.sha256"):
        published.publish(folder, "1.0")
    assert published.versions() == []


def test_an_environment_that_was_not_applied_says_so(dev: Dev) -> None:
    s3 = dev.session.client("s3")
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(LyceumError, match=r"no bucket .*dev was not applied"):
        dev.production().published.check("1.0")
