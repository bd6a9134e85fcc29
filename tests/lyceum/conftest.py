"""People, a course and a folder of content: what most tests of the platform begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from tests.lyceum.servers import Servers

from lyceum.accounts.models import User
from lyceum.accounts.services import ensure_user
from lyceum.content import ContentStore, get_store
from lyceum.courses.models import Course, Lesson, Section
from lyceum.courses.services import enrol

PASSWORD = "a-long-and-quiet-password"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def content_store(tmp_path: Path, settings: Settings) -> ContentStore:
    settings.CONTENT_URL = (tmp_path / "content").as_uri()
    return get_store()


@pytest.fixture
def put(content_store: ContentStore, tmp_path: Path) -> "Put":
    return Put(content_store, tmp_path)


class Put:
    """Stores bytes under a key."""

    def __init__(self, store: ContentStore, folder: Path) -> None:
        self.store, self.folder = store, folder

    def __call__(self, key: str, content: bytes, content_type: str) -> str:
        source = self.folder / "source"
        source.write_bytes(content)
        self.store.put(key, source, content_type=content_type)
        return key


def _account(email: str, role: str, name: str) -> User:
    user, _ = ensure_user(email=email, password=PASSWORD, role=role, display_name=name)
    return user


@pytest.fixture
def student(db: None) -> User:
    return _account("ada@lyceum.example", "student", "Ada")


@pytest.fixture
def stranger(db: None) -> User:
    """A student of nothing."""
    return _account("sam@lyceum.example", "student", "Sam")


@pytest.fixture
def instructor(db: None) -> User:
    return _account("hypatia@lyceum.example", "instructor", "Hypatia")


@pytest.fixture
def administrator(db: None) -> User:
    return _account("root@lyceum.example", "administrator", "Root")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def course(instructor: User, put: Put) -> Course:
    """Two sections: a text and a video, then a document. Published, taught by `instructor`."""
    made = Course.objects.create(
        slug="maps", title="Reading maps", summary="Paper becomes landscape.", topic="Geography", published=True
    )
    made.instructors.add(instructor)
    first = Section.objects.create(course=made, slug="first", title="First steps", position=1)
    second = Section.objects.create(course=made, slug="second", title="Going further", position=2)
    Lesson.objects.create(
        course=made, section=first, slug="words", title="What a map is", kind="text", body_md="*Look.*"
    )
    Lesson.objects.create(
        course=made, section=first, slug="film", title="A walk", kind="video", position=2, duration_seconds=61,
        media_key=put("maps/walk.mp4", b"not really a film", "video/mp4"), media_type="video/mp4", media_bytes=17,
    )  # fmt: skip
    Lesson.objects.create(
        course=made, section=second, slug="sheet", title="The sheet", kind="document",
        media_key=put("maps/sheet.pdf", b"%PDF-1.4 a sheet", "application/pdf"),
        media_type="application/pdf", media_bytes=2048,
    )  # fmt: skip
    return made


@pytest.fixture
def draft(instructor: User) -> Course:
    made = Course.objects.create(slug="draft", title="Half a thought", topic="Secrets")
    made.instructors.add(instructor)
    section = Section.objects.create(course=made, slug="only", title="Only")
    Lesson.objects.create(course=made, section=section, slug="words", title="Not yet", body_md="hidden words")
    return made


@pytest.fixture
def learner(student: User, course: Course) -> Client:
    """The student's browser, signed in and enrolled in `course`."""
    enrol(user=student, course=course)
    return signed_in(student)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Starts the platform as a server runs it; ends with the test."""
    these = Servers(tmp_path)
    yield these
    for server in these.running:
        server.stop()
