"""A drill holds when everything comes back, and fails for each thing that does not; it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from tests.lyceum_ops.conftest import CHECKOUT, Emulated
from tests.lyceum_ops.drill.conftest import BUCKET, TABLE, Live, argv_of_a_drill

from lyceum_lab.drill.stores import libpq
from lyceum_lab.rehearsal import postgres
from lyceum_ops.drill.drill import drill
from lyceum_ops.drill.postgres import faults
from lyceum_ops.drill.report import Report
from lyceum_ops.drill.stores import Point, Store, require_mark
from lyceum_ops.errors import CommandFailed, LyceumError, Refused

pytestmark = pytest.mark.drill


def nobody(*_: Any) -> str:
    """In the place of the learner, where a test is about something else."""
    return "a learner was not asked"


def left(live: Live) -> list[str]:
    return [name for store in live.stores() for name in store.left()]


def only(live: Live, *names: str) -> list[Store]:
    return [store for store in live.stores() if store.name in names]


def broken(store: Store, damage: Callable[[Path], object]) -> Store:
    """The store, whose backup is damaged after it was taken."""
    protect = store.protect

    def protect_and_damage() -> Point:
        point = protect()
        damage(Path(point.name))
        return point

    store.protect = protect_and_damage  # type: ignore[method-assign]
    return store


def test_everything_comes_back_and_a_learner_goes_on(live: Live, tmp_path: Path) -> None:
    def trial(settings: Mapping[str, str], number: str) -> str:
        assert set(settings) == {"DATABASE_URL", "PROGRESS_URL", "CONTENT_URL", "SHARED_FILES_DIR"}
        return live.commands("check_restored", "--drill", number, **settings).strip().splitlines()[-1]

    report = drill("dev", live.stores(), trial)
    assert report.wrong == []
    assert report.learner_failed == ""
    assert re.search(
        r"A learner signed in and goes on at \d+(\.\d+)? s, with its video, and a shared file is whole\.",
        report.learner,
    )
    assert report.held
    assert left(live) == []
    parts = {f"{store.name}/{part.part}": part.rows for store in report.stores.values() for part in store.parts}
    assert parts["database/accounts_user"] == parts["progress/items"] == parts["files/files"] == 1
    assert parts["database/courses_lesson"] > 3
    assert parts["content/versions"] == parts["content/objects"] + 1  # the one that was deleted
    told = json.loads(report.write(tmp_path).with_suffix(".json").read_text())
    assert (told["held"], told["differences"], told["rows"]) == (True, [], report.rows)
    assert 0 <= told["rpo_seconds"] < 120
    assert 0 < told["rto_seconds"] < 120
    page = next(tmp_path.glob("*.md")).read_text()
    assert "**Held.** RPO" in page
    assert "| courses_lesson |" in page
    # Nothing of it went into what is live.
    with live.connect() as database:
        assert database.execute("SELECT to_regclass('lyceum_drill')").fetchone() == (None,)


def corrupt(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 2048] = bytes(2048)
    file.write_bytes(raw)


def shortened(file: Path) -> None:
    os.truncate(file, file.stat().st_size * 2 // 3)


@pytest.mark.parametrize("damage", [corrupt, shortened])
def test_a_damaged_dump_fails_it(live: Live, damage: Callable[[Path], None]) -> None:
    (database,) = only(live, "database")
    report = drill("dev", [broken(database, damage)], nobody)
    assert not report.held
    assert report.wrong
    assert left(live) == []


def as_admin(live: Live, database: str) -> str:
    return f"{live.database.admin_url.rpartition('/')[0]}/{database}"


def altered(live: Live, *statements: str) -> Report:
    """A drill whose backup is of the live database's twin, to which this was done: as if it had got lost."""
    (database,) = only(live, "database")
    protect = database.protect

    def protect_and_lose() -> Point:
        point = protect()
        file = Path(point.name)
        twin_url = as_admin(live, "twin")
        with psycopg.connect(live.database.admin_url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE twin TEMPLATE lyceum")
            try:
                with psycopg.connect(twin_url, autocommit=True) as twin:
                    for statement in statements:
                        twin.execute(statement)
                dumped: list[str | Path] = [postgres.embedded() / "pg_dump", "--format=custom", f"--file={file}"]
                subprocess.run(dumped, env=libpq(twin_url), check=True)
            finally:
                admin.execute("DROP DATABASE twin")
        return point

    database.protect = protect_and_lose  # type: ignore[method-assign]
    return drill("dev", [database], nobody)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("DROP TABLE shared_sharedfile",), r"^database: shared_sharedfile: is missing; it had 1 rows$"),
        (("UPDATE courses_lesson SET title = 'x' WHERE position = 1",), r"courses_lesson: rows are altered in"),
        (("DELETE FROM courses_enrolment",), r"courses_enrolment: 0 rows instead of 1 \(-1\)"),
        (
            ("ALTER TABLE courses_enrolment DISABLE TRIGGER ALL", "DELETE FROM courses_enrolment",
             "ALTER TABLE courses_enrolment DROP CONSTRAINT enrolment_is_unique"),
            r"courses_enrolment: constraints is .*, was ",
        ),
        (
            ("SELECT setval(pg_get_serial_sequence('courses_course', 'id'), 1, false)",
             "UPDATE courses_course SET title = title"),
            r"courses_course: its sequence stands at 1",
        ),
    ],
    ids=["missing table", "altered row", "lost row", "lost constraint", "sequence behind"],
)  # fmt: skip
def test_what_a_database_lost_fails_it(live: Live, statements: tuple[str, ...], said: str) -> None:
    report = altered(live, *statements)
    assert not report.held
    assert any(re.search(said, one) for one in report.wrong), report.wrong
    assert left(live) == []


def test_a_row_without_its_parent_is_found(live: Live) -> None:
    with psycopg.connect(as_admin(live, "lyceum"), autocommit=True) as admin:
        # As a superuser, who may leave the keys unheld.
        admin.execute("SET session_replication_role = replica")
        admin.execute("INSERT INTO courses_enrolment (user_id, course_id, enrolled_at) VALUES (999, 998, now())")
        assert any("courses_enrolment: 1 rows point to no row of" in one for one in faults(admin))
    try:
        (database,) = only(live, "database")
        report = drill("dev", [database], nobody)
    finally:
        with live.connect() as connection:
            connection.execute("DELETE FROM courses_enrolment WHERE user_id = 999")
    assert not report.held


def test_a_table_that_lost_an_item_and_one_that_is_broken_fail_it(live: Live) -> None:
    (table,) = only(live, "progress")
    report = drill("dev", [broken(table, lambda file: file.write_text(""))], nobody)
    assert report.wrong == ["progress: items: 0 rows instead of 1 (-1)"]
    (table,) = only(live, "progress")
    report = drill("dev", [broken(table, lambda file: file.write_text(file.read_text()[:-9]))], nobody)
    assert report.wrong == ["progress: cannot be restored: progress.jsonl is broken in line 1."]
    (table,) = only(live, "progress")
    report = drill("dev", [broken(table, lambda f: f.write_text(f.read_text().replace('"pos', '"sop', 1)))], nobody)
    assert "rows are altered in 1 of 256 buckets" in report.wrong[0]
    assert left(live) == []


def test_files_and_objects_that_are_other_or_gone_fail_it(live: Live) -> None:
    files, bucket = only(live, "files", "content")
    report = drill("dev", [broken(files, lambda tar: os.truncate(tar, 700))], nobody)
    assert "cannot be restored: files.tar cannot be unpacked" in report.wrong[0]
    (files,) = only(live, "files")
    other = drill("dev", [broken(files, lambda f: f.write_bytes(f.read_bytes().replace(b"notes", b"Notes")))], nobody)
    assert "files: files: rows are altered in 1 of 256 buckets" in other.wrong[0]

    def swap(place: Path) -> None:
        first = next(path for path in sorted(place.iterdir()) if path.name.isdecimal())
        first.write_bytes(bytes(len(first.read_bytes())))

    report = drill("dev", [broken(bucket, swap)], nobody)
    assert any(one.startswith("content: objects: rows are altered") for one in report.wrong), report.wrong
    (bucket,) = only(live, "content")
    report = drill("dev", [broken(bucket, lambda place: (place / "0").unlink())], nobody)
    assert "cannot be restored: The backup of the bucket lacks" in report.wrong[0]
    assert left(live) == []


def test_what_is_written_meanwhile_is_no_difference(live: Live) -> None:
    (table,) = only(live, "progress")
    protect = table.protect

    def busy() -> Point:
        point = protect()
        live.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "late"}, "sk": {"S": "1"}})
        return Point(point.name, point.taken, point.before, table.__class__.protect(table).after)

    table.protect = busy  # type: ignore[method-assign]
    try:
        report = drill("dev", [table], nobody)
    finally:
        live.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "late"}, "sk": {"S": "1"}})
    assert report.wrong == []
    assert report.stores["progress"].moving == 1


def test_a_learner_who_cannot_go_on_fails_it(live: Live) -> None:
    def trial(settings: Mapping[str, str], number: str) -> str:
        return live.commands("check_restored", "--drill", number, **{**settings, "CONTENT_URL": f"s3://{BUCKET}-gone"})

    report = drill("dev", only(live, "database", "progress"), trial)
    assert (report.held, report.wrong) == (False, [])
    assert "The video of the learner's lesson did not come back" in report.learner_failed


def test_the_learner_is_not_let_near_what_is_live(live: Live) -> None:
    with pytest.raises(CommandFailed, match="no copy of a drill: nothing was looked at, nothing changed"):
        live.commands("check_restored", "--drill", "0123abcd")


ALL = ("database", "progress", "files", "content")


def ended(live: Live, running: Emulated, how: signal.Signals, names: tuple[str, ...] = ALL) -> None:
    """A drill in a process of its own, ended when everything is restored."""
    process = subprocess.Popen(
        argv_of_a_drill(live, running.endpoint, names), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'src'}"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "RESTORED" in line:
                break
        assert len(left(live)) == len(names)
        process.send_signal(how)
        process.communicate(timeout=60)
    finally:
        process.kill()


@pytest.mark.parametrize(("how", "names"), [(signal.SIGINT, ALL), (signal.SIGTERM, ALL[1:])])
def test_interrupted_it_takes_everything_away(
    live: Live, running: Emulated, how: signal.Signals, names: tuple[str, ...]
) -> None:
    ended(live, running, how, names)
    assert left(live) == []


def test_killed_its_leftovers_are_found_by_the_next(live: Live, running: Emulated) -> None:
    ended(live, running, signal.SIGKILL)
    found = left(live)
    assert len(found) == 4
    places = [one for one in psutil.process_iter(["cmdline"]) if any(found[0] in w for w in one.info["cmdline"] or [])]
    psutil.wait_procs(places, timeout=20)  # the copy's server ends with who started it
    report = drill("dev", only(live, "files"), nobody)
    assert report.swept == [name for name in found if name.endswith("-files")]
    assert drill("dev", live.stores(), nobody).swept == [name for name in found if not name.endswith("-files")]
    assert left(live) == []


@pytest.mark.parametrize("name", ["lyceum-dev-progress", "lyceum-dev-database", "drill", "lyceum-drill-x-progress", ""])
def test_nothing_live_is_made_or_removed(live: Live, name: str) -> None:
    for store in live.stores():
        with pytest.raises(Refused, match="is no copy of a drill, and is left alone"):
            store.remove(name)
    with pytest.raises(Refused):
        require_mark("lyceum-dev-drill-00000000-progress", "11111111")
    assert live.dynamodb.describe_table(TableName=TABLE)["Table"]["TableStatus"] == "ACTIVE"


def test_what_cannot_be_removed_is_told(live: Live) -> None:
    (files,) = only(live, "files")
    remove = files.remove

    def stuck(name: str) -> None:
        raise LyceumError("AWS does not permit it.")

    files.remove = stuck  # type: ignore[method-assign]
    report = drill("dev", [files], nobody)
    assert (report.held, report.left) == (False, ["files: AWS does not permit it."])
    for name in files.left():
        remove(name)


@pytest.mark.full
def test_a_million_rows_come_back_and_are_compared_within_five_minutes(live: Live) -> None:
    """Progress as rows, which is what a grade is to a database: half a kilobyte with its keys and its index."""
    with live.connect() as connection:
        connection.execute(
            "INSERT INTO progress_lessonprogress"
            " (user_id, course_id, lesson_id, watched, position_ms, position_order, completed_at_ms)"
            " SELECT n, n % 50, gen_random_uuid(), decode(md5(n::text) || md5(n::text), 'hex'), n % 3600000,"
            " lpad(n::text, 15, '0') || '#report#' || lpad((n % 3600000)::text, 8, '0'), NULL"
            " FROM generate_series(1, 1000000) n"
        )
    try:
        began = time.monotonic()
        report = drill("dev", only(live, "database"), nobody)
        seconds = time.monotonic() - began
    finally:
        with live.connect() as connection:
            connection.execute("TRUNCATE progress_lessonprogress")
    assert report.wrong == []
    assert report.rows > 1_000_000
    print(f"{report.rows} rows backed up, restored and compared in {seconds:.0f} s")
    assert seconds < 300
