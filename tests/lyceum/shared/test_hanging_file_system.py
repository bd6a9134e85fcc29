"""The file system hangs, is away or is not mounted: its pages say so in time, and the rest of the site works."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings
from tests.lyceum.shared.test_pages import LIST, WORDS, address, share, stored

from lyceum.shared import services, views
from lyceum.shared.models import SharedFile
from lyceum.shared.storage import BoundedStorage, FolderStorage

FRIENDLY = "cannot be reached just now"


class Hanging(FolderStorage):
    """Waits in every call until `answers` is set, as a network file system without its server does."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.answers = threading.Event()

    def probe(self) -> None:
        self.answers.wait(30)
        super().probe()

    def _path(self, course_id: int, file_id: UUID) -> Path:
        self.answers.wait(30)
        return super()._path(course_id, file_id)


@pytest.fixture
def hanging(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    storage = Hanging(tree)
    bounded = BoundedStorage(storage)
    monkeypatch.setattr(BoundedStorage, "SECONDS", 0.3)
    monkeypatch.setattr(BoundedStorage, "RECEIVE_SECONDS", 0.3)
    for module in (views, services):
        monkeypatch.setattr(module, "get_storage", lambda: bounded)
    storage.answers.set()
    yield storage
    storage.answers.set()


def test_every_page_of_it_says_so_in_time_and_the_rest_works(hanging: Hanging, learner: Client) -> None:
    share(learner)
    file = SharedFile.objects.get()
    hanging.answers.clear()
    began = time.monotonic()
    for answer in (
        learner.get(LIST),
        learner.get(address(file)),
        share(learner, "more.txt"),
        learner.post(f"{address(file)}delete/"),
    ):
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert FRIENDLY in answer.content.decode()
    assert time.monotonic() - began < 3  # two wait, the others are refused at once
    for page in ("/", "/my-courses/", "/courses/maps/", "/healthz"):
        assert learner.get(page).status_code == 200
    assert SharedFile.objects.get() == file

    hanging.answers.set()
    deadline = time.monotonic() + 10
    while (listed := learner.get(LIST)).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "notes.txt" in listed.content.decode()
    assert len(stored(hanging.root)) == 1


def test_the_operating_system_itself_hangs(tree: Path, learner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a FIFO that nobody writes to waits in the kernel, as a call to an NFS server that is gone."""
    monkeypatch.setattr(BoundedStorage, "SECONDS", 0.3)
    share(learner)
    [path] = stored(tree)
    path.unlink()
    os.mkfifo(path)
    file = SharedFile.objects.get()
    try:
        began = time.monotonic()
        answers = [learner.get(address(file)) for _ in range(10)]
        assert time.monotonic() - began < 3
        assert {answer.status_code for answer in answers} == {503}
        assert learner.get("/courses/maps/").status_code == 200
    finally:
        # lets every waiting thread go
        os.close(os.open(path, os.O_RDWR))
        writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        os.write(writer, WORDS)
        os.close(writer)


def test_a_file_system_that_is_not_mounted_is_not_written_to(learner: Client, settings: Settings, tree: Path) -> None:
    settings.SHARED_FILES_DIR = tree / "not-mounted"
    for answer in (learner.get(LIST), share(learner)):
        assert answer.status_code == 503
    assert not settings.SHARED_FILES_DIR.exists()
    assert not SharedFile.objects.exists()


def test_a_download_that_hangs_half_way_ends(
    hanging: Hanging, learner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 5 * 1024 * 1024
    assert share(learner, "large.bin", b"x" * size).status_code == 302
    answer = learner.get(address(SharedFile.objects.get()))
    monkeypatch.setattr(hanging, "read", lambda *_: hanging.answers.wait(30))
    hanging.answers.clear()
    began = time.monotonic()
    assert len(b"".join(answer)) < size
    assert time.monotonic() - began < 3


def test_the_empty_folder_under_a_mount_is_not_taken_for_the_file_system() -> None:
    """It belongs to root, and nobody else may write there. In a process of its own, because root may write anywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for mode, refused in ((0o777, 0), (0o555, 1)):
            folder.chmod(mode)
            child = os.fork()
            if child == 0:
                try:
                    if os.geteuid() == 0:
                        os.setuid(65534)
                    FolderStorage(folder).probe()
                    os._exit(0)
                except PermissionError:
                    os._exit(1)
                finally:
                    os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == refused
