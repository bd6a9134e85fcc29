"""The archive of a Lambda function: the same content is the same bytes, other content is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lyceum_ops.errors import LyceumError
from lyceum_ops.functions import build, build_all

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


def write(folder: Path, *, order: tuple[str, ...] = ("main.py", "parts/one.py", "notes.json")) -> Path:
    for name in order:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return folder


def test_the_same_content_gives_the_same_bytes_wherever_and_whenever_it_was_written(tmp_path: Path) -> None:
    one = write(tmp_path / "one")
    other = write(tmp_path / "other", order=("notes.json", "parts/one.py", "main.py"))
    os.utime(other / "main.py", (1_000_000_000, 1_000_000_000))
    (other / "main.py").chmod(0o700)
    (other / "parts" / "__pycache__").mkdir()
    (other / "parts" / "__pycache__" / "one.cpython-311.pyc").write_bytes(b"of this machine")
    archives = [build(folder, tmp_path / "out" / f"{folder.name}.zip").read_bytes() for folder in (one, other)]
    assert archives[0] == archives[1]


def test_changed_source_or_another_name_gives_other_bytes(tmp_path: Path) -> None:
    folder, archive = write(tmp_path / "one"), tmp_path / "one.zip"
    seen = {build(folder, archive).read_bytes()}
    (folder / "main.py").write_text("# changed\n")
    seen.add(build(folder, archive).read_bytes())
    (folder / "notes.json").rename(folder / "note.json")
    seen.add(build(folder, archive).read_bytes())
    assert len(seen) == 3
    assert list(tmp_path.glob("*.part")) == []


def test_an_archive_of_the_same_content_is_left_alone(tmp_path: Path) -> None:
    folder, archive = write(tmp_path / "one"), tmp_path / "one.zip"
    build(folder, archive)
    os.utime(archive, (1_000_000_000, 1_000_000_000))
    build(folder, archive)
    assert archive.stat().st_mtime == 1_000_000_000


def test_the_purge_can_be_imported_from_its_archive_as_lambda_does(tmp_path: Path) -> None:
    archive = build_all(FUNCTIONS, tmp_path)["purge_logs"]
    with zipfile.ZipFile(archive) as bundle:
        assert bundle.testzip() is None
        assert bundle.namelist() == ["purge_logs.py"]
        assert {entry.external_attr >> 16 for entry in bundle.infolist()} == {0o100644}
    command = "import purge_logs; print(callable(purge_logs.handler))"
    done = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_a_folder_without_code_and_a_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LyceumError, match="no Python"):
        build(tmp_path / "empty", tmp_path / "empty.zip")
    folder = write(tmp_path / "linked")
    (folder / "secret.py").symlink_to("/etc/hostname")
    with pytest.raises(LyceumError, match=r"secret\.py"):
        build(folder, tmp_path / "linked.zip")
