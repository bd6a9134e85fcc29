"""Both stores, and a small course to make progress in."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from django.test import Client
from moto import mock_aws

from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment, Lesson, Section
from lyceum.progress.stores import ProgressStore
from lyceum.progress.stores.dynamodb import DynamoStore
from lyceum.progress.stores.sql import SqlStore

TABLE = "lyceum-Test-progress"
DURATION = 61.0


class OneAtATime:
    """Runs one call of a DynamoDB client at a time: each is atomic on AWS, and in the emulator only with a lock."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        wanted = getattr(self._client, name)
        if name == "exceptions":
            return wanted

        def locked(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self.calls.append(name)
                return wanted(*args, **kwargs)

        return locked


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[OneAtATime]:
    """A client of an emulated DynamoDB that holds the table as Terraform makes it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield OneAtATime(client)


@pytest.fixture(params=["database", "dynamodb"])
def store(request: pytest.FixtureRequest, db: None) -> ProgressStore:
    """Each store in turn; the database is the one of DATABASE_URL."""
    if request.param == "database":
        return SqlStore()
    table: Any = request.getfixturevalue("table")
    return DynamoStore(table=TABLE, client=table)


@dataclass
class Classroom:
    """A learner enrolled in a course with a video of 61 seconds, a text and a document, in this order."""

    learner: User
    stranger: User
    course: Course
    video: Lesson
    text: Lesson
    document: Lesson

    def client(self, user: User | None = None, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user or self.learner)
        return client


@pytest.fixture
def classroom(db: None) -> Classroom:
    learner = User.objects.create_user("ada@example.org")
    stranger = User.objects.create_user("bob@example.org")
    course = Course.objects.create(slug="looms", title="Looms", published=True)
    section = Section.objects.create(course=course, slug="start", title="Start", position=1)

    def lesson(slug: str, position: int, **fields: Any) -> Lesson:
        return Lesson.objects.create(
            course=course, section=section, slug=slug, title=slug.title(), position=position, **fields
        )

    video = lesson(
        "film",
        1,
        kind="video",
        media_key="looms/film.mp4",
        media_type="video/mp4",
        duration_seconds=DURATION,
        captions=[{"key": "looms/film.en.vtt", "language": "en", "label": "English"}],
    )
    text = lesson("notes", 2, kind="text", body_md="Read.")
    document = lesson("sheet", 3, kind="document", media_key="looms/sheet.pdf", media_type="application/pdf")
    Enrolment.objects.create(user=learner, course=course)
    return Classroom(learner, stranger, course, video, text, document)
