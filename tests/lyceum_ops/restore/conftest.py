"""A platform out of which a course was deleted by mistake, in the administration; everybody else went on.

It is made once; each test finds it as it was right after the mistake.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from psycopg import sql
from tests.lyceum_ops.conftest import ACCOUNT, Emulated
from tests.lyceum_ops.drill.conftest import known

from lyceum_lab import paths, platform
from lyceum_lab.drill.recovery import Recovery
from lyceum_lab.rehearsal import infrastructure, postgres
from lyceum_ops.drill.release import migrating
from lyceum_ops.restore.content import Bucket
from lyceum_ops.restore.course import Stores
from lyceum_ops.restore.progress import Items

SLUG = "how-the-cloud-works"
TABLE, BUCKET = "lyceum-dev-progress", f"lyceum-dev-content-{ACCOUNT}"
# Three learners of the course, one of whom goes; an instructor; two files, one of them by who goes; another course.
BEFORE = """
from uuid import uuid4
from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment, Lesson, Section
from lyceum.progress.domain import LessonKey, Watch, order_of
from lyceum.progress.models import LessonProgress
from lyceum.progress.stores import get_store
from lyceum.shared.models import SharedFile
course = Course.objects.get()
people = {name: User.objects.create_user(f"{name}@lyceum.example") for name in ("ada", "ben", "gone")}
teacher = User.objects.create_user("teacher@lyceum.example", role="instructor")
course.instructors.add(teacher)
other = Course.objects.create(slug="other", title="Another course", published=True)
section = Section.objects.create(course=other, slug="one", title="One")
Lesson.objects.create(course=other, section=section, slug="one", title="One", body_md="Text.")
for number, user in enumerate(people.values()):
    Enrolment.objects.create(user=user, course=course)
    Enrolment.objects.create(user=user, course=other)
    for lesson in course.lessons.all()[: number + 1]:
        order = order_of(at_ms=1_800_000_000_000, report_id="r", position_ms=7000)
        get_store().record(LessonKey(user.pk, course.pk, lesson.pk), Watch(frozenset({0}), 7000, order),
                           complete_at=10_000, now_ms=1_800_000_000_000)
# As an installation keeps progress that has no DynamoDB.
LessonProgress.objects.create(user_id=people["ada"].pk, course_id=course.pk, lesson_id=uuid4(), watched=b"abc")
for name in ("ada", "gone"):
    SharedFile.objects.create(course=course, name=f"{name}'s.txt", size=3, sha256="00" * 32, uploader=people[name])
"""
# The mistake, through the administration's own pages; then somebody's account goes, and the others go on.
MISTAKE = """
from django.test import Client, override_settings
from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment
boss = User.objects.create_superuser("boss@lyceum.example")
with override_settings(ALLOWED_HOSTS=["here"]):
    client = Client(headers={"host": "here"}, raise_request_exception=True)
    client.force_login(boss)
    def delete(kind, pk):
        answer = client.post(f"/manage/{kind}/{pk}/delete/", {"post": "yes"}, secure=True)
        assert answer.url.endswith(f"/{kind}/"), answer.url
    delete("courses/course", Course.objects.get(slug="SLUG").pk)
    delete("accounts/user", User.objects.get(email="gone@lyceum.example").pk)
Course.objects.filter(slug="other").update(title="Another course, revised")
Enrolment.objects.create(user=boss, course=Course.objects.get(slug="other"))
""".replace("SLUG", SLUG)

Rows = dict[str, set[str]]


@dataclass
class Lost:
    """What is left: the live stores, and what was there before the mistake."""

    folder: Path
    database: postgres.Database
    dynamodb: Any
    s3: Any
    rds: Any
    began: datetime
    before: Rows = field(default_factory=dict)
    after: Rows = field(default_factory=dict)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.database.owner_url, autocommit=True)

    def admin(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(f"{self.database.admin_url.rpartition('/')[0]}/{database}", autocommit=True)

    @property
    def owner(self) -> tuple[str, str]:
        told = psycopg.conninfo.conninfo_to_dict(self.database.owner_url)
        return str(told["user"]), str(told["password"])

    def past(self, live: Path | None = None) -> Recovery:
        return Recovery(live or self.folder / "postgres", self.folder / "copies", self.owner)

    def stores(self, **other: Any) -> Stores:
        found: dict[str, Any] = {
            "live": self.connect, "past": self.past(), "content": Bucket(self.s3, BUCKET),
            "progress": Items(self.dynamodb, TABLE), "migrate": migrating(paths.CHECKOUT),
        }  # fmt: skip
        return Stores(**(found | other))

    def rows(self) -> Rows:
        """Every row of every table, as text."""
        with self.connect() as live:
            names = live.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            asked = "SELECT t::text FROM {} t"
            return {
                name: {row[0] for row in live.execute(sql.SQL(asked).format(sql.Identifier(name))).fetchall()}
                for (name,) in names
            }

    def objects(self) -> list[tuple[str, str]]:
        """Every version in the bucket, and every mark of a deletion."""
        told = self.s3.list_object_versions(Bucket=BUCKET)
        kinds = ("Versions", "DeleteMarkers")
        return sorted((one["Key"], one["VersionId"]) for kind in kinds for one in told.get(kind, []))

    def again(self) -> None:
        """As it was right after the mistake."""
        with self.admin() as admin:
            admin.execute("DROP DATABASE lyceum WITH (FORCE)")
            admin.execute(sql.SQL("CREATE DATABASE lyceum OWNER {} TEMPLATE mistaken").format(
                sql.Identifier(postgres.OWNER)))  # fmt: skip


def clients(session: Any, endpoint: str) -> tuple[Any, Any, Any]:
    dynamodb, s3, rds = (session.client(one, endpoint_url=endpoint) for one in ("dynamodb", "s3", "rds"))
    return dynamodb, s3, rds


@pytest.fixture(scope="module")
def made(running: Emulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    running.reset()
    folder = tmp_path_factory.mktemp("lost")
    aws = infrastructure.aws_environment(running.endpoint)
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    dynamodb, s3, rds = clients(session, running.endpoint)
    dynamodb.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )  # fmt: skip
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    place = postgres.Place(recoverable=True)
    database = postgres.start(folder / "postgres", folder / "postgres.log", dict(os.environ), place)
    try:
        settings = {
            **aws, "DATABASE_URL": database.owner_url, "PROGRESS_URL": f"dynamodb://{TABLE}",
            "CONTENT_URL": f"s3://{BUCKET}", "SECRET_KEY": "only-for-this-test-run-and-no-other-one-of-these",
            "LYCEUM_VAR_DIR": str(folder / "var"),
        }  # fmt: skip
        commands = platform.Commands(platform.environment(settings), folder / "manage.log")
        commands("prepare")
        commands.load_sample_courses()
        commands("shell", "-c", BEFORE)
        lost = Lost(folder, database, dynamodb, s3, rds, datetime.now(UTC))
        lost.before = lost.rows()
        time.sleep(2.2)  # what is brought back is the second before the one of the mistake
        commands("shell", "-c", MISTAKE)
        lost.after = lost.rows()
        with lost.admin() as admin:
            admin.execute("CREATE DATABASE mistaken TEMPLATE lyceum")
        yield lost
    finally:
        database.process.send_signal(signal.SIGINT)
        database.process.wait(timeout=30)


@pytest.fixture
def lost(made: Lost) -> Iterator[Lost]:
    yield made
    made.again()
    assert made.past().left() == []


def slow(folder: str, owner_url: str, endpoint: str) -> None:
    """A run in a process of its own that says when its rows are in, and waits before they are committed."""
    from lyceum_ops.restore import course, rows

    aws = infrastructure.aws_environment(endpoint)
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    there = known(owner_url)
    lost = Lost(Path(folder), there, *clients(session, endpoint), datetime.now(UTC))
    put = rows._put

    def put_and_wait(table: Any, staged: Any, live: Any) -> int:
        count = put(table, staged, live)
        print("PUT", flush=True)
        time.sleep(60)
        return count

    rows._put = put_and_wait
    course.restore(SLUG, None, lost.stores())
