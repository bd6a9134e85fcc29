"""Four live stores with a learner in the middle of a video: PostgreSQL, a table, a bucket, shared files."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.lyceum_ops.conftest import ACCOUNT, Emulated

from lyceum_lab import platform
from lyceum_lab.drill import stores
from lyceum_lab.rehearsal import infrastructure, postgres
from lyceum_ops.drill.stores import Store

TABLE, BUCKET = "lyceum-dev-progress", f"lyceum-dev-content-{ACCOUNT}"
# A learner who watched a third of the first video, and shared a file.
LIVE = """
from uuid import uuid4
from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment, Lesson
from lyceum.progress.domain import LessonKey, Watch, order_of
from lyceum.progress.stores import get_store
from lyceum.shared.models import SharedFile
from lyceum.shared.storage import get_storage
user, course = User.objects.get(role="student"), Course.objects.get()
Enrolment.objects.create(user=user, course=course)
lesson = Lesson.objects.filter(course=course, kind="video").order_by("-duration_seconds").first()
at = lesson.duration_seconds * 1000 // 3
order = order_of(at_ms=1_800_000_000_000, report_id="report-1", position_ms=at)
get_store().record(LessonKey(user.pk, course.pk, lesson.pk), Watch(frozenset({0, 1}), at, order),
                   complete_at=10_000, now_ms=1_800_000_000_000)
file, kept = uuid4(), get_storage().receive([b"notes of a learner"])
get_storage().publish(kept, course_id=course.pk, file_id=file)
SharedFile.objects.create(id=file, course=course, name="notes.txt", size=kept.size, sha256=kept.sha256, uploader=user)
"""


@dataclass
class Live:
    """What is live: where it is, and what a drill of it is made of."""

    folder: Path
    database: postgres.Database
    dynamodb: Any
    s3: Any
    commands: platform.Commands
    session: Any = None

    def client(self, name: str, **more: Any) -> Any:
        """Of an AWS service, as an administrator."""
        return self.session.client(name, endpoint_url=self.dynamodb.meta.endpoint_url, **more)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.database.owner_url, autocommit=True)

    def stores(self) -> list[Store]:
        work = self.folder / "drill"
        return [
            stores.Database(self.connect, stores.libpq(self.database.owner_url), work),
            stores.Table(self.dynamodb, TABLE, work),
            stores.Files(self.folder / "shared", work),
            stores.Bucket(self.s3, BUCKET, work),
        ]


@pytest.fixture(scope="session")
def live(running: Emulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    running.reset()
    folder = tmp_path_factory.mktemp("live")
    aws = infrastructure.aws_environment(running.endpoint)
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    dynamodb = session.client("dynamodb", endpoint_url=running.endpoint)
    s3 = session.client("s3", endpoint_url=running.endpoint)
    dynamodb.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )  # fmt: skip
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    (folder / "shared").mkdir()
    database = postgres.start(folder / "postgres", folder / "postgres.log", dict(os.environ))
    try:
        settings = {
            **aws, "DATABASE_URL": database.owner_url, "PROGRESS_URL": f"dynamodb://{TABLE}",
            "CONTENT_URL": f"s3://{BUCKET}", "SHARED_FILES_DIR": str(folder / "shared"),
            "SECRET_KEY": "only-for-this-test-run-and-no-other-one-of-these", "LYCEUM_VAR_DIR": str(folder / "var"),
        }  # fmt: skip
        commands = platform.Commands(platform.environment(settings), folder / "manage.log")
        commands("prepare")
        commands.load_sample_courses()
        commands.create_account("student")
        commands("shell", "-c", LIVE)
        s3.put_object(Bucket=BUCKET, Key="notes/old.md", Body=b"first")
        s3.put_object(Bucket=BUCKET, Key="notes/old.md", Body=b"second one")
        s3.delete_object(Bucket=BUCKET, Key="notes/old.md")
        yield Live(folder, database, dynamodb, s3, commands, session)
    finally:
        database.process.send_signal(signal.SIGINT)
        database.process.wait(timeout=30)


@pytest.fixture
def rds(live: Live) -> Iterator[Any]:
    client = live.client("rds")
    client.create_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", Engine="postgres", DBInstanceClass="db.t4g.micro", DBName="lyceum",
        MasterUsername="lyceum_admin", MasterUserPassword="only-for-this-test", AllocatedStorage=20,
        DeletionProtection=True, MultiAZ=True, BackupRetentionPeriod=7,
    )  # fmt: skip
    yield client
    client.modify_db_instance(DBInstanceIdentifier="lyceum-dev-database", DeletionProtection=False)
    client.delete_db_instance(DBInstanceIdentifier="lyceum-dev-database", SkipFinalSnapshot=True)


def argv_of_a_drill(live: Live, endpoint: str, names: tuple[str, ...]) -> list[str]:
    """A drill in a process of its own, for tests that end it."""
    script = (
        "import sys, time; from tests.lyceum_ops.drill.conftest import slow; "
        f"slow({str(live.folder)!r}, {live.database.owner_url!r}, {endpoint!r}, {names!r})"
    )
    return [sys.executable, "-c", script]


def known(owner_url: str) -> postgres.Database:
    """A database that another process started, of which only the owner's URL is told."""
    told = {name: str(value) for name, value in conninfo_to_dict(owner_url).items()}
    return postgres.Database(None, told["host"], int(told["port"]), told["password"], "", told["user"])  # type: ignore[arg-type]


def slow(folder: str, owner_url: str, endpoint: str, names: tuple[str, ...]) -> None:
    """A drill that says when everything is restored, and then waits at the learner."""
    import time

    from lyceum_ops.drill.drill import drill

    aws = infrastructure.aws_environment(endpoint)
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    there = known(owner_url)
    of = Live(Path(folder), there, session.client("dynamodb", endpoint_url=endpoint),
              session.client("s3", endpoint_url=endpoint), None)  # type: ignore[arg-type]  # fmt: skip

    def trial(*_: Any) -> str:
        print("RESTORED", flush=True)
        time.sleep(60)
        return ""

    drill("dev", [store for store in of.stores() if store.name in names], trial)
