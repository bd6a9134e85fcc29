"""Files of a course as its people meet them: who may see, share and delete, and what is refused in which words."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings
from tests.lyceum.conftest import signed_in

from lyceum.accounts.models import User
from lyceum.courses.models import Course
from lyceum.shared import services
from lyceum.shared.errors import NameTakenError, NoRoomError
from lyceum.shared.models import SharedFile
from lyceum.shared.storage import BoundedStorage, FolderStorage, Received

LIST, UPLOAD = "/courses/maps/files/", "/uploads/maps/"
WORDS = b"what the map does not show"


def share(client: Client, name: str = "notes.txt", content: bytes = WORDS, **extra: Any) -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content, "text/html")}, **extra)


def address(file: SharedFile) -> str:
    return f"{LIST}{file.pk}/"


def stored(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def body(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def test_what_one_shares_the_others_download(tree: Path, learner: Client, fellow: Client, course: Course) -> None:
    assert "Nothing is shared" in learner.get(LIST).content.decode()
    answer = share(learner)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    page = fellow.get(LIST).content.decode()
    assert all(text in page for text in ("notes.txt", "26\xa0bytes", "Ada"))
    assert "ada@lyceum.example" not in page
    file = SharedFile.objects.get()
    assert (file.size, file.sha256) == (len(WORDS), hashlib.sha256(WORDS).hexdigest())
    assert body(fellow.get(address(file))) == WORDS
    assert [path.relative_to(tree).as_posix() for path in stored(tree)] == [f"{course.pk}/{file.pk}"]


@pytest.mark.parametrize("size", [26, 3 * 1024 * 1024])
def test_a_download_is_saved_and_never_shown(tree: Path, learner: Client, size: int) -> None:
    share(learner, "page.html", b"<script>alert(1)</script>" + b"x" * (size - 25))
    for method in ("get", "head"):
        answer = getattr(learner, method)(address(SharedFile.objects.get()))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith('attachment; filename="page.html"')
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Content-Length"] == str(size)
        assert len(body(answer)) == (size if method == "get" else 0)


def test_only_people_of_the_course_come_in(
    tree: Path, learner: Client, stranger: User, instructor: User, administrator: User, client: Client
) -> None:
    share(learner)
    file = SharedFile.objects.get()
    for visitor, status in [
        (client, 302), (signed_in(stranger), 302), (signed_in(instructor), 200), (signed_in(administrator), 200),
    ]:  # fmt: skip
        assert [visitor.get(page).status_code for page in (LIST, address(file))] == [status, status]
    for outsider in (client, signed_in(stranger)):
        assert share(outsider, "more.txt").status_code == 302
        assert outsider.post(f"{address(file)}delete/").status_code == 302
    assert SharedFile.objects.get() == file
    assert len(stored(tree)) == 1


def test_another_courses_people_reach_nothing(tree: Path, learner: Client, draft: Course, instructor: User) -> None:
    share(learner)
    elsewhere = f"/courses/{draft.slug}/files/{SharedFile.objects.get().pk}/"
    teacher = signed_in(instructor)
    assert teacher.get(elsewhere).status_code == 404
    assert teacher.post(f"{elsewhere}delete/").status_code == 404
    assert learner.get(f"/courses/{draft.slug}/files/").status_code == 404


def test_owners_and_teachers_delete_and_others_do_not(
    tree: Path, learner: Client, fellow: Client, instructor: User
) -> None:
    for deleter, status, left in [(fellow, 403, 1), (learner, 302, 0), (signed_in(instructor), 302, 0)]:
        SharedFile.objects.exists() or share(learner)
        file = SharedFile.objects.get()
        assert ("Delete it for everyone" in deleter.get(LIST).content.decode()) is (status == 302)
        assert deleter.post(f"{address(file)}delete/").status_code == status
        assert (SharedFile.objects.count(), len(stored(tree))) == (left, left)
        assert deleter.get(address(file)).status_code == (200 if left else 404)
    assert learner.get(f"{address(file)}delete/").status_code == 405


def test_a_second_file_of_a_name_is_refused_and_the_first_stays(tree: Path, learner: Client, fellow: Client) -> None:
    share(learner)
    for name in ("notes.txt", "NOTES.TXT", "  notes.txt"):
        answer = share(fellow, name, b"others")
        assert answer.status_code == 409
        assert "a file named" in answer.content.decode()
    file = SharedFile.objects.get()
    assert body(learner.get(address(file))) == WORDS
    assert len(stored(tree)) == 1


NAMES = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("/etc/passwd", "passwd"),
    ("a b  c.txt", "a b c.txt"),
    ("Übung „1“.pdf", "Übung „1“.pdf"),
    ("U\u0308bung.pdf", "Übung.pdf"),
    ('quote".txt', 'quote".txt'),
    ("<b>bold</b>.txt", "b>.txt"),
    ("nul\x00l.txt", "null.txt"),
    ("con\u202egpj.exe", "congpj.exe"),
    (".hidden", ".hidden"),
]


@pytest.mark.parametrize(("given", "kept"), NAMES)
def test_names_are_only_ever_shown(tree: Path, learner: Client, course: Course, given: str, kept: str) -> None:
    """The multipart body is written by hand: a browser of evil intent sends any name."""
    boundary = "xxBOUNDARYxx"
    quoted = given.replace('"', "%22")
    raw = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        f"Content-Type: text/plain\r\n\r\nwords\r\n--{boundary}--\r\n"
    ).encode()
    answer = learner.post(UPLOAD, raw, content_type=f"multipart/form-data; boundary={boundary}")
    assert answer.status_code == 302
    file = SharedFile.objects.get()
    assert file.name == kept.replace('"', "%22")
    assert stored(tree) == [tree / str(course.pk) / str(file.pk)]
    assert "<b>" not in learner.get(LIST).content.decode()
    assert "\n" not in learner.get(address(file))["Content-Disposition"]


@pytest.mark.parametrize("name", ["...", "x" * 121 + ".txt", "y" * 400])
def test_names_that_cannot_be_kept_are_refused_in_words(tree: Path, learner: Client, name: str) -> None:
    answer = share(learner, name)
    assert answer.status_code == 400
    assert re.search(r'id="id_file_error">', answer.content.decode())
    assert stored(tree) == []


def test_bad_input_is_a_400(tree: Path, learner: Client) -> None:
    for data in ({}, {"file": "words"}, {"file": SimpleUploadedFile("empty.txt", b"")}):
        assert learner.post(UPLOAD, data).status_code == 400
    two = {"file": SimpleUploadedFile("a", b"a"), "other": SimpleUploadedFile("b", b"b")}
    assert learner.post(UPLOAD, two).status_code == 400
    assert learner.post(UPLOAD, b"rubbish", content_type="multipart/form-data; boundary=x").status_code == 400
    assert learner.post(UPLOAD, b"rubbish", content_type="multipart/form-data").status_code == 400
    assert learner.put(UPLOAD, b"x").status_code == 405
    assert stored(tree) == []


def test_the_largest_file_is_taken_and_a_larger_one_is_not(tree: Path, learner: Client, settings: Settings) -> None:
    largest = settings.SHARED_FILE_MAX_BYTES
    assert share(learner, "large.bin", b"x" * largest).status_code == 302
    assert share(learner, "larger.bin", b"x" * (largest + 1)).status_code == 413
    unread = share(learner, "huge.bin", b"x" * (largest + 200_000))
    assert unread.status_code == 413
    assert "20 MB" in unread.content.decode()
    assert SharedFile.objects.count() == 1


@pytest.mark.parametrize("elsewhere", [LIST, "/accounts/login/", "/courses/maps/enrol/", "/manage/", "/uploads"])
def test_elsewhere_bodies_stay_small(tree: Path, learner: Client, elsewhere: str) -> None:
    assert learner.post(elsewhere, {"file": SimpleUploadedFile("a", b"x" * 3_000_000)}).status_code == 413


def test_a_course_has_room_for_so_much(tree: Path, learner: Client, settings: Settings) -> None:
    settings.SHARED_COURSE_MAX_BYTES = 60
    assert [share(learner, f"{n}.txt").status_code for n in range(3)] == [302, 302, 413]
    settings.SHARED_COURSE_MAX_BYTES = 1000
    settings.SHARED_COURSE_MAX_FILES = 2
    answer = share(learner, "3.txt")
    assert (answer.status_code, "2 files at most" in answer.content.decode()) == (413, True)
    assert len(stored(tree)) == 2


def test_uploads_are_counted(tree: Path, learner: Client, fellow: Client, settings: Settings) -> None:
    cache.clear()
    settings.SHARED_RATE_LIMITS = {"upload": "2/10m/user"}
    assert [share(learner, f"{n}.txt").status_code for n in range(3)] == [302, 302, 429]
    assert share(fellow, "mine.txt").status_code == 302


def test_a_forged_upload_or_deletion_is_refused(tree: Path, learner: Client, student: User) -> None:
    share(learner)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(student)
    assert share(strict, "forged.txt").status_code == 403
    assert strict.post(f"{address(SharedFile.objects.get())}delete/").status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get(LIST).content.decode())
    assert token
    data = {"file": SimpleUploadedFile("real.txt", WORDS), "csrfmiddlewaretoken": token[1]}
    assert strict.post(UPLOAD, data).status_code == 302


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


def test_whoever_may_not_upload_is_refused_unread(tree: Path, client: Client, stranger: User, course: Course) -> None:
    for outsider in (Client(enforce_csrf_checks=True), signed_in(stranger)):
        extra: dict[str, Any] = {"CONTENT_LENGTH": "2000000", "wsgi.input": Unread()}
        answer = outsider.post(UPLOAD, b"", content_type="multipart/form-data; boundary=x", **extra)
        assert answer.status_code == 302


def test_so_many_transfers_at_once_and_no_more(tree: Path, learner: Client, settings: Settings) -> None:
    """Downloads hold their place until they are read or closed; small ones need none."""
    share(learner, "large.bin", b"x" * 3 * 1024 * 1024)
    share(learner, "small.txt")
    large, small = (SharedFile.objects.get(name=name) for name in ("large.bin", "small.txt"))
    under_way = [learner.get(address(large)) for _ in range(settings.SHARED_TRANSFERS)]
    busy = learner.get(address(large))
    assert (busy.status_code, busy["Refresh"], busy["Retry-After"]) == (429, "5", "5")
    assert share(learner, "late.txt").status_code == 429
    assert body(learner.get(address(small))) == WORDS
    assert learner.get(LIST).status_code == 200
    assert len(body(under_way[0])) == large.size
    under_way[1].close()
    under_way[1].close()  # twice gives back one place
    again = [learner.get(address(large)) for _ in range(settings.SHARED_TRANSFERS + 1)]
    assert [answer.status_code for answer in again] == [200] * settings.SHARED_TRANSFERS + [429]
    for answer in again:
        answer.close()


def test_an_upload_that_trickles_in_is_ended(tree: Path, learner: Client, settings: Settings) -> None:
    settings.SHARED_TRANSFER_SECONDS = -1
    assert share(learner).status_code == 408
    assert stored(tree) == []
    settings.SHARED_TRANSFER_SECONDS = 60
    assert share(learner).status_code == 302  # its place was given back


def test_going_back_to_a_refused_upload_shows_the_list(tree: Path, learner: Client, client: Client) -> None:
    """The page that says why a file was refused stands at the address of the upload."""
    answer = learner.get(UPLOAD)
    assert (answer.status_code, answer["Location"]) == (302, LIST)


def test_the_page_is_linked_for_those_inside(tree: Path, learner: Client, client: Client, stranger: User) -> None:
    assert LIST in learner.get("/courses/maps/").content.decode()
    for outsider in (client, signed_in(stranger)):
        assert LIST not in outsider.get("/courses/maps/").content.decode()


def test_a_file_whose_owner_left_stays(tree: Path, learner: Client, fellow: Client, student: User) -> None:
    share(learner)
    student.delete()
    assert "Someone who left" in fellow.get(LIST).content.decode()
    assert body(fellow.get(address(SharedFile.objects.get()))) == WORDS


def test_a_file_that_is_gone_from_the_tree(tree: Path, learner: Client) -> None:
    share(learner)
    for spoil in (lambda path: path.write_bytes(b"short"), Path.unlink):
        spoil(stored(tree)[0])
        assert learner.get(address(SharedFile.objects.get())).status_code == 404
    assert learner.post(f"{address(SharedFile.objects.get())}delete/").status_code == 302


class Meanwhile(BoundedStorage):
    """While one file is being received, something else happens."""

    def __init__(self, root: Path, happens: Callable[[], object]) -> None:
        super().__init__(FolderStorage(root))
        self._happens: list[Callable[[], object]] = [happens]

    def receive(self, chunks: Iterable[bytes]) -> Received:
        received = super().receive(chunks)
        if self._happens:
            self._happens.pop()()
        return received


def test_of_two_files_of_a_name_at_once_the_first_is_kept(
    tree: Path, course: Course, student: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def share_as(user: User, content: bytes) -> SharedFile:
        return services.share(course=course, uploader=user, name="same.txt", size=len(content), chunks=[content])

    storage = Meanwhile(tree, lambda: share_as(stranger, b"first"))
    monkeypatch.setattr(services, "get_storage", lambda: storage)
    with pytest.raises(NameTakenError):
        share_as(student, b"second")
    assert SharedFile.objects.get().uploader == stranger
    assert [path.read_bytes() for path in stored(tree)] == [b"first"]


def test_room_that_is_taken_meanwhile_is_gone(
    tree: Path, course: Course, student: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SHARED_COURSE_MAX_BYTES = 10

    def share_one(name: str) -> SharedFile:
        return services.share(course=course, uploader=student, name=name, size=7, chunks=[b"seven b"])

    storage = Meanwhile(tree, lambda: share_one("a"))
    monkeypatch.setattr(services, "get_storage", lambda: storage)
    with pytest.raises(NoRoomError):
        share_one("b")
    assert SharedFile.objects.get().name == "a"
    assert len(stored(tree)) == 1


def test_the_database_itself_refuses_a_second_name(tree: Path, learner: Client, student: User, course: Course) -> None:
    share(learner)
    fields: dict[str, Any] = {"course": course, "uploader": student, "sha256": "0" * 64}
    for wrong in ({"name": "NOTES.txt", "size": 1}, {"name": "b", "size": 0}, {"name": "", "size": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SharedFile.objects.create(**fields, **wrong)


def test_tree_and_database_are_compared(
    tree: Path, learner: Client, capsys: pytest.CaptureFixture[str], course: Course
) -> None:
    share(learner)
    folder = tree / str(course.pk)
    stray, young, foreign = (folder / str(name) for name in (uuid4(), uuid4(), "readme"))
    incoming = tree / ".incoming" / "abc"
    for path in (stray, young, foreign, incoming):
        path.write_text("x")
    for path in (stray, foreign, incoming):
        os.utime(path, (1, 1))
    call_command("check_shared_files")
    assert "1 files, 0 missing, 2 that no row names\n" in capsys.readouterr().out
    assert stray.exists()
    call_command("check_shared_files", "--remove")
    assert (stray.exists(), incoming.exists(), young.exists(), foreign.exists()) == (False, False, True, True)
    (folder / str(SharedFile.objects.get().pk)).unlink()
    with pytest.raises(CommandError, match="Restore"):
        call_command("check_shared_files")
