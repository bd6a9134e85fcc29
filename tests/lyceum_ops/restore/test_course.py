"""A course that was deleted comes back alone and as it was; whatever is in the way leaves everything as it is."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from tests.lyceum_ops.conftest import CHECKOUT, Emulated
from tests.lyceum_ops.drill.emulated import FAST, Moving, Own
from tests.lyceum_ops.restore.conftest import BUCKET, SLUG, Lost

from lyceum_lab.rehearsal import postgres
from lyceum_ops.drill.amazon.database import Database
from lyceum_ops.errors import CommandFailed, LyceumError, Refused, Usage
from lyceum_ops.restore import rows
from lyceum_ops.restore.catalogue import read
from lyceum_ops.restore.command import Past
from lyceum_ops.restore.content import Bucket
from lyceum_ops.restore.course import Opened, parse, restore

pytestmark = pytest.mark.drill
WHOLE = {
    "courses_course": 1, "courses_section": 3, "courses_lesson": 10, "courses_course_instructors": 1,
    "courses_enrolment": 2, "shared_sharedfile": 2, "progress_lessonprogress": 0,
}  # fmt: skip


def nothing_changed(lost: Lost) -> None:
    assert lost.rows() == lost.after
    assert lost.past().left() == []


def test_a_deleted_course_comes_back_alone_and_as_it_was(lost: Lost) -> None:
    brought = restore(SLUG, None, lost.stores())
    assert brought.whole
    assert lost.began <= brought.at < datetime.now(UTC)
    assert brought.moved.put == WHOLE
    assert brought.moved.there == {"progress_lessonprogress": 1}
    assert brought.moved.left_out == {("courses_enrolment", "accounts_user"): 1}
    assert brought.moved.unnamed == {("shared_sharedfile", "accounts_user"): 1}
    now = lost.rows()
    came = {table: rows - lost.after[table] for table, rows in now.items()}
    # What is live is all still there, the other course's new title and the new learner among it …
    assert all(lost.after[table] <= now[table] for table in now)
    assert any("Another course, revised" in row for row in now["courses_course"])
    # … what came is what was there, byte for byte, but for the name of who is gone …
    strange = {table: rows - lost.before[table] for table, rows in came.items() if rows - lost.before[table]}
    assert list(strange) == ["shared_sharedfile"]
    (unnamed,) = strange["shared_sharedfile"]
    assert "gone's.txt" in unnamed
    # … and nothing is missing but what was theirs, and the other course's old title.
    missing = {table: rows - now[table] for table, rows in lost.before.items()}
    assert {table: len(rows) for table, rows in missing.items() if rows} == {
        "accounts_user": 1, "courses_course": 1, "courses_enrolment": 2, "shared_sharedfile": 1,
    }  # fmt: skip
    said = "\n".join(brought.lines())
    assert "LEFT OUT  1 of courses_enrolment: their row of accounts_user is gone since" in said
    assert "progress  was never gone: 3 of 3 learners have it, in 6 lessons together" in said
    assert re.search(r"content   [1-9]\d* objects were there, 0 came back, 0 are lost", said)
    assert "brought back: 19 rows in 6 tables, 0 objects" in said
    # A second time it is live, and is left alone.
    with pytest.raises(Refused, match=rf"The course {SLUG} .* is live: nothing is written over it"):
        restore(SLUG, None, lost.stores())
    # The next course gets a number of its own.
    with lost.connect() as live:
        live.execute("INSERT INTO courses_course SELECT (jsonb_populate_record(c, jsonb_build_object("
                     "'id', nextval(pg_get_serial_sequence('courses_course', 'id')), 'slug', 'next'))).*"
                     " FROM courses_course c LIMIT 1")  # fmt: skip


def test_a_dry_run_says_the_same_and_changes_nothing(lost: Lost) -> None:
    key = removed(lost)
    try:
        was = lost.objects()
        brought = restore(SLUG, None, lost.stores(), dry_run=True)
        assert brought.moved.put == WHOLE
        assert list(brought.objects.deleted) == [key]
        assert "a dry run, nothing was changed: 19 rows in 6 tables, 1 objects" in brought.lines()
        nothing_changed(lost)
        assert lost.objects() == was
    finally:
        Bucket(lost.s3, BUCKET).bring_back(brought.objects.deleted)


@pytest.mark.parametrize("column", ["slug", "id"])
def test_a_live_course_is_never_written_over(lost: Lost, column: str) -> None:
    (number,) = (int(row.split(",")[0][1:]) for row in lost.before["courses_course"] if SLUG in row)
    told = {"slug": ("9999", SLUG), "id": (str(number), "a-new-one")}[column]
    with lost.connect() as live:
        live.execute(
            "INSERT INTO courses_course SELECT (jsonb_populate_record(c, jsonb_build_object('id', %s::text,"
            " 'slug', %s::text))).* FROM courses_course c LIMIT 1", told,
        )  # fmt: skip
    was = lost.rows()
    with pytest.raises(Refused, match=rf"The course {told[1]} \(number {told[0]}, .* is live"):
        restore(SLUG, None, lost.stores())
    assert lost.rows() == was


def test_what_stands_in_the_place_of_a_row_is_not_written_over(lost: Lost) -> None:
    """No course, but one of its lessons: as somebody has moved it. And a progress row that was written anew."""
    lesson = min(lost.before["courses_lesson"] - lost.after["courses_lesson"])[1:37]
    with lost.connect() as live:
        live.execute(
            "INSERT INTO courses_lesson SELECT (jsonb_populate_record(l, jsonb_build_object('id', %s::text, 'slug',"
            " 'moved', 'title', 'Moved'))).* FROM courses_lesson l LIMIT 1", [lesson],
        )  # fmt: skip
    was = lost.rows()
    brought = restore(SLUG, None, lost.stores())
    assert brought.moved.there["courses_lesson"] == 1
    assert brought.moved.put["courses_lesson"] == WHOLE["courses_lesson"] - 1
    assert all(was[table] <= rows for table, rows in lost.rows().items())


def test_a_table_that_a_release_adds_is_not_forgotten(lost: Lost) -> None:
    """Grades, on enrolments: they come back with them, and what is left out takes its own along."""
    table = (
        "CREATE TABLE grades_grade (id bigint PRIMARY KEY, points numeric(5, 2) NOT NULL, enrolment_id bigint NOT NULL"
        " REFERENCES courses_enrolment (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    with lost.connect() as live:
        live.execute(table)
    grades = "INSERT INTO grades_grade SELECT id, 7.50, id FROM courses_enrolment"
    past = Damaged(lost, table, grades, f"ALTER TABLE grades_grade OWNER TO {lost.owner[0]}")
    brought = restore(SLUG, None, lost.stores(past=past))
    assert brought.moved.put == {**WHOLE, "grades_grade": 2}
    assert brought.moved.left_out == {
        ("courses_enrolment", "accounts_user"): 1, ("grades_grade", "courses_enrolment"): 1,
    }  # fmt: skip


def test_a_copy_from_before_a_release_is_migrated_as_the_live_database_was(lost: Lost) -> None:
    past = Damaged(lost, "DROP TABLE shared_sharedfile", "DELETE FROM django_migrations WHERE app = 'shared'")
    brought = restore(SLUG, None, lost.stores(past=past))
    assert brought.moved.put == {name: 0 if name == "shared_sharedfile" else count for name, count in WHOLE.items()}


def test_a_copy_that_cannot_be_migrated_is_refused(lost: Lost) -> None:
    past = Damaged(lost, "DELETE FROM django_migrations WHERE app = 'shared'")
    with pytest.raises(CommandFailed, match=r"The copy could not be migrated: .*already exists.* Nothing live was"):
        restore(SLUG, None, lost.stores(past=past))
    nothing_changed(lost)


def test_what_has_no_foreign_key_and_what_names_objects_is_known(lost: Lost) -> None:
    """A column that is added here has to be added to catalogue.LOOSE or rows.CONTENT."""
    with lost.connect() as live:
        known = read(live)
        columns = live.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
    keyed = {(edge.child, column) for edge in known.edges for column in edge.columns}
    named = {(table, column) for table, column, _ in columns if re.fullmatch(r"(course|section|enrolment)_id", column)}
    assert len(named) > 5
    assert named - keyed == set()
    said = {table: " ".join(queries) for table, queries in rows.CONTENT.items()}
    objects = {
        (table, column)
        for table, column, kind in columns
        if table in WHOLE and (column.endswith("_key") or "json" in kind)
    }
    assert {("courses_course", "cover_key"), ("courses_lesson", "captions")} < objects
    assert {one for one in objects if one[1] not in said.get(one[0], "")} == set()


# ------------------------------------------------------------------------------------------------------ which time


def test_a_time_can_be_named(lost: Lost) -> None:
    assert restore(SLUG, lost.began + timedelta(seconds=1), lost.stores(), dry_run=True).moved.put == WHOLE
    with pytest.raises(Refused, match=r"There was no course never-was then\. Name the time before"):
        restore("never-was", lost.began + timedelta(seconds=1), lost.stores())
    with pytest.raises(Refused, match=r"holds no courses at all|There was no course"):
        restore(SLUG, lost.past().oldest(), lost.stores())
    with pytest.raises(Refused, match=r"The database goes back to 20.* and no further"):
        restore(SLUG, lost.began - timedelta(days=1), lost.stores())
    nothing_changed(lost)


def test_without_one_the_administrations_log_has_to_be_clear(lost: Lost) -> None:
    with lost.connect() as live:
        live.execute("INSERT INTO django_admin_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', 9999,"
                     " 'object_repr', 'Some other'))).* FROM django_admin_log l WHERE action_flag = 3"
                     " AND object_repr LIKE 'How%'")  # fmt: skip
    with pytest.raises(Usage, match=r"deleted several courses since .*“Some other” .* with --at"):
        restore(SLUG, None, lost.stores())
    with lost.connect() as live:
        live.execute("DELETE FROM django_admin_log")
    with pytest.raises(Usage, match="The administration deleted no course since"):
        restore(SLUG, None, lost.stores())


@pytest.mark.parametrize("text", ["yesterday", "2999-01-01T00:00:00Z", "2026-13-01"])
def test_a_time_that_is_none_or_not_over(text: str) -> None:
    with pytest.raises(Usage):
        parse(text, datetime.now(UTC))


def test_a_time_without_a_zone_is_utc() -> None:
    now = datetime.now(UTC)
    assert parse("2026-05-04T09:10:00", now) == parse("2026-05-04T11:10:00.7+02:00", now)


# --------------------------------------------------------------------------------------------------------- objects


def removed(lost: Lost) -> str:
    """The key of a video that is deleted from the bucket."""
    key: str = next(
        one["Key"] for one in lost.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if one["Key"].endswith(".mp4")
    )
    lost.s3.delete_object(Bucket=BUCKET, Key=key)
    return key


def test_a_deleted_object_comes_back_with_it(lost: Lost) -> None:
    key = next(one["Key"] for one in lost.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if one["Key"].endswith(".mp4"))
    was = lost.s3.get_object(Bucket=BUCKET, Key=key)
    body = was["Body"].read()
    assert removed(lost) == key
    brought = restore(SLUG, None, lost.stores())
    assert list(brought.objects.deleted) == [key]
    now = lost.s3.get_object(Bucket=BUCKET, Key=key)
    assert (now["Body"].read(), now["ContentType"]) == (body, was["ContentType"])


def test_an_object_that_is_lost_for_good_is_named(lost: Lost) -> None:
    """The course comes back all the same, and the command ends with 1."""
    key = next(one["Key"] for one in lost.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if one["Key"].endswith(".jpg"))
    body = lost.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    for name, version in lost.objects():
        if name == key:
            lost.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    try:
        brought = restore(SLUG, None, lost.stores())
    finally:
        lost.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="image/jpeg")
    assert (brought.whole, brought.objects.lost, brought.moved.put) == (False, [key], WHOLE)
    assert f"LOST      {key}: the bucket keeps no version of it" in brought.lines()


# ---------------------------------------------------------------------------------------------- what gets in the way


class Busy(Bucket):
    """Objects came back, rows did not yet: then something happens to the live database, or to the command."""

    def __init__(self, lost: Lost, happens: Callable[[], object]) -> None:
        super().__init__(lost.s3, BUCKET)
        self._happens = happens

    def bring_back(self, deleted: dict[str, str]) -> None:
        super().bring_back(deleted)
        self._happens()


def half_way(lost: Lost, body: str) -> None:
    """From now on, whoever enrols somebody meets this."""
    with lost.connect() as live:
        live.execute(f"CREATE FUNCTION happens() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NEW; END$$")
        live.execute(
            "CREATE TRIGGER happens BEFORE INSERT ON courses_enrolment FOR EACH ROW EXECUTE FUNCTION happens()"
        )


def as_after(lost: Lost, happens: Callable[[], object], error: type[BaseException], said: str = "^$") -> None:
    """It ends with that, and rows and objects are as they were."""
    key = removed(lost)
    was = lost.objects()
    try:
        with pytest.raises(error, match=said):
            restore(SLUG, None, lost.stores(content=Busy(lost, happens)))
        nothing_changed(lost)
        assert lost.objects() == was
    finally:
        content = Bucket(lost.s3, BUCKET)
        content.bring_back(content.look([key], datetime.now(UTC)).deleted)


def test_a_failure_half_way_leaves_nothing_half(lost: Lost) -> None:
    as_after(
        lost, lambda: half_way(lost, "RAISE EXCEPTION 'no more room';"), CommandFailed,
        "The rows were not put in, and nothing was changed: no more room",
    )  # fmt: skip


def test_a_connection_that_ends_half_way_leaves_nothing_half(lost: Lost) -> None:
    as_after(
        lost, lambda: half_way(lost, "PERFORM pg_terminate_backend(pg_backend_pid());"), CommandFailed,
        r"There is no connection to the database, or it ended: .* Run it again; it never writes twice",
    )  # fmt: skip


def test_a_row_that_is_altered_on_its_way_is_found(lost: Lost) -> None:
    as_after(
        lost, lambda: half_way(lost, "NEW.enrolled_at = now();"), CommandFailed,
        "Rows of courses_enrolment are not as they were once they are put in: 2",
    )  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_half_way_it_leaves_nothing_half(lost: Lost, how: signal.Signals) -> None:
    def end_when_it_sleeps() -> None:
        with lost.admin() as watching:
            for _ in range(1200):
                found = watching.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                ).fetchone()
                if found and found[0]:
                    os.kill(os.getpid(), how)
                    return
                time.sleep(0.05)

    def happens() -> None:
        half_way(lost, "PERFORM pg_sleep(60);")
        threading.Thread(target=end_when_it_sleeps, daemon=True).start()

    as_after(lost, happens, KeyboardInterrupt)


def test_killed_it_leaves_a_copy_that_the_next_removes(lost: Lost, running: Emulated) -> None:
    script = (
        "from tests.lyceum_ops.restore.conftest import slow; "
        f"slow({str(lost.folder)!r}, {lost.database.owner_url!r}, {running.endpoint!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'src'}"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any("PUT" in line for line in process.stdout)
    finally:
        process.kill()
        process.communicate(timeout=30)
    (left,) = lost.past().left()
    servers = [one for one in psutil.process_iter(["cmdline"]) if any(left in w for w in one.info["cmdline"] or [])]
    assert psutil.wait_procs(servers, timeout=30)[1] == []  # the copy's server ends with who started it
    assert lost.rows() == lost.after
    assert restore(SLUG, None, lost.stores()).moved.put == WHOLE


class Damaged:
    """A past whose copies are damaged before anybody looks."""

    def __init__(self, lost: Lost, *statements: str) -> None:
        self._lost, self._past, self._statements = lost, lost.past(), statements

    def __getattr__(self, name: str) -> Any:
        return getattr(self._past, name)

    def bring_back(self, at: datetime, number: str) -> Opened:
        opened = self._past.bring_back(at, number)
        with opened.connect() as copy:
            port = copy.info.port
        where = psycopg.conninfo.make_conninfo(self._lost.database.admin_url, port=port, dbname="lyceum")
        with psycopg.connect(where, autocommit=True) as admin:
            admin.execute("SET session_replication_role = replica")  # as damage does, which asks no constraint
            for statement in self._statements:
                admin.execute(statement)
        return opened


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM courses_section WHERE position = 1",
         r"The copy of the database is damaged: courses_lesson: \d+ rows point to no row of courses_section"),
        ("DROP TABLE courses_course CASCADE", "The copy of the database holds no courses at all"),
        ("ALTER TABLE courses_lesson DROP COLUMN summary", "courses_lesson is other in the live database"),
        ("DELETE FROM courses_course WHERE slug LIKE 'how%'", "The copy of the database is damaged: "),
    ],
    ids=["rows without parents", "a table is missing", "another release", "the course is missing"],
)  # fmt: skip
def test_a_damaged_copy_is_refused(lost: Lost, statement: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        restore(SLUG, None, lost.stores(past=Damaged(lost, statement)))
    nothing_changed(lost)


def test_a_log_that_is_cut_off_is_refused(lost: Lost, tmp_path: Path) -> None:
    """The recovery ends before its time: half a database would be no copy of then."""
    (tmp_path / postgres.SINCE).touch()
    os.utime(tmp_path / postgres.SINCE, (0, 0))
    shutil.copytree(lost.folder / "postgres" / "base", tmp_path / "base")
    first = min(path.name for path in (tmp_path / "base" / "pg_wal").iterdir() if path.is_file())
    used = len((tmp_path / "base" / "pg_wal" / first).read_bytes().rstrip(b"\0"))
    whole = (lost.folder / "postgres" / "data" / "pg_wal" / first).read_bytes()
    (tmp_path / "data" / "pg_wal").mkdir(parents=True)
    (tmp_path / "data" / "pg_wal" / first).write_bytes(whole[: used + 65536].ljust(len(whole), b"\0"))
    with pytest.raises(LyceumError, match=r"could not be brought back to .*: recovery ended before"):
        restore(SLUG, lost.began + timedelta(seconds=1), lost.stores(past=lost.past(tmp_path)))
    nothing_changed(lost)


# ------------------------------------------------------------------------------------------------------------ on AWS


class Behind(Past):
    """RDS's calls, of the emulator, which makes a copy's record; behind it, what PostgreSQL itself brought back."""

    rows: Opened

    def bring_back(self, at: Any, number: str) -> Opened:
        who = self.database.bring_back(at, number)
        assert (who.user, who.port) == ("lyceum_admin", 5432)
        assert self.database.url(number).endswith("@127.0.0.1:5432/lyceum?sslmode=require")
        return self.rows


def test_on_aws_the_copy_is_rdss_and_goes_again(lost: Lost) -> None:
    lost.rds.create_db_instance(
        DBInstanceIdentifier="lyceum-dev-database", Engine="postgres", DBInstanceClass="db.t4g.micro", DBName="lyceum",
        MasterUsername="lyceum_admin", MasterUserPassword="only-for-this-test", AllocatedStorage=20,
        BackupRetentionPeriod=7,
    )  # fmt: skip
    reached: list[str] = []

    @contextmanager
    def reach(host: str) -> Iterator[int]:
        reached.append(host)
        yield 5432

    asking = Moving(lost.rds)
    asking.made = datetime.now(UTC)
    database = Database(asking, "dev", Own("lyceum_admin", "", 0, "lyceum"), reach, FAST)
    past, recovered = Behind(database), lost.past()
    try:
        with lost.connect() as live:
            found = live.execute("SELECT action_time FROM django_admin_log ORDER BY action_time LIMIT 1").fetchone()
        assert found
        object.__setattr__(past, "rows", recovered.bring_back(lost.began, "00000000"))
        # The log of an instance that was made a moment ago goes back no further.
        with pytest.raises(Refused, match=r"The database goes back to .* and no further"):
            restore(SLUG, lost.began, lost.stores(past=past))
        asking.made = lost.began
        brought = restore(SLUG, None, lost.stores(past=past))
    finally:
        recovered.remove("drill-00000000-database")
        lost.rds.delete_db_instance(DBInstanceIdentifier="lyceum-dev-database", SkipFinalSnapshot=True)
    assert brought.moved.put["courses_course"] == 1
    assert len(reached) == 1
    told = next(told for name, told in asking.asked if name == "restore_db_instance_to_point_in_time")
    assert told["RestoreTime"] == brought.at
    assert told["RestoreTime"] < found[0]
    removed = [told["DBInstanceIdentifier"] for name, told in asking.asked if name == "delete_db_instance"]
    assert removed == [told["TargetDBInstanceIdentifier"]]
    assert database.left() == []


def test_nothing_on_a_server_may_delete_progress() -> None:
    """Which is why it is there still."""
    role = (CHECKOUT / "infra" / "modules" / "servers" / "role.tf").read_text()
    assert '"dynamodb:UpdateItem"' in role
    assert "dynamodb:Delete" not in role
    assert "dynamodb:*" not in role
