"""What every store of progress promises. DATABASE_URL decides which database stands behind the first of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lyceum.progress.conftest import TABLE

from lyceum.progress.domain import LessonKey, LessonRecord, Watch, order_of
from lyceum.progress.models import LessonProgress
from lyceum.progress.stores import ProgressStore
from lyceum.progress.stores.dynamodb import DynamoStore
from lyceum.progress.stores.sql import SqlStore

pytestmark = pytest.mark.contract

NOW = 1_800_000_000_000
NEVER = 10_000


def key(course_id: int = 7, user_id: int = 1) -> LessonKey:
    return LessonKey(user_id=user_id, course_id=course_id, lesson_id=uuid4())


def watch(*buckets: int, at: int = 0, position_ms: int = 0, report_id: str = "report-1") -> Watch:
    order = order_of(at_ms=NOW + at, report_id=report_id, position_ms=position_ms)
    return Watch(buckets=frozenset(buckets), position_ms=position_ms, order=order)


def record(store: ProgressStore, where: LessonKey, what: Watch, complete_at: int = NEVER) -> LessonRecord:
    return store.record(where, what, complete_at=complete_at, now_ms=NOW)


watches = st.builds(
    lambda buckets, at, position, number: watch(*buckets, at=at, position_ms=position, report_id=f"report-{number}"),
    buckets=st.frozensets(st.integers(0, 40), max_size=12),
    at=st.integers(0, 3),
    position=st.integers(0, 200_000),
    number=st.integers(0, 2),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Watch], list[Watch]]:
    """Reports in the order they happened, and as they arrive: shuffled, repeated, split in two and late."""
    happened = draw(st.lists(watches, min_size=1, max_size=8))
    arriving = []
    for one in happened:
        if draw(st.booleans()):
            half = frozenset(draw(st.sets(st.sampled_from(sorted(one.buckets))))) if one.buckets else frozenset()
            parts = [
                Watch(half, one.position_ms, one.order),
                Watch(one.buckets - half, one.position_ms, one.order),
            ]
        else:
            parts = [one]
        for part in parts:
            arriving += [part] * draw(st.integers(1, 3))
    return happened, draw(st.permutations(arriving))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delivery=deliveries())
def test_the_end_does_not_depend_on_how_reports_arrive(
    store: ProgressStore, delivery: tuple[list[Watch], list[Watch]]
) -> None:
    happened, arriving = delivery
    straight, crooked = key(), key()
    for one in happened:
        record(store, straight, one, complete_at=20)
    for one in arriving:
        last = record(store, crooked, one, complete_at=20)
    newest = max(happened, key=lambda one: one.order)
    union = frozenset().union(*(one.buckets for one in happened))
    expected = LessonRecord(union, newest.position_ms, newest.order, NOW if len(union) >= 20 else None)
    assert store.lesson(straight) == store.lesson(crooked) == last == expected


def test_a_lesson_nobody_touched_is_empty(store: ProgressStore) -> None:
    assert store.lesson(key()) == LessonRecord()
    assert store.course(user_id=1, course_id=7) == {}


def test_a_late_report_adds_what_was_watched_and_leaves_the_position(store: ProgressStore) -> None:
    where = key()
    record(store, where, watch(3, at=10, position_ms=17_000))
    after = record(store, where, watch(1, at=5, position_ms=7_000))
    assert after.buckets == {1, 3}
    assert after.position_ms == 17_000


def test_a_report_without_any_bucket_moves_the_position(store: ProgressStore) -> None:
    where = key()
    assert record(store, where, watch(position_ms=1_200)) == LessonRecord(
        frozenset(), 1_200, order_of(at_ms=NOW, report_id="report-1", position_ms=1_200)
    )
    assert record(store, where, watch(at=-1, position_ms=900)).position_ms == 1_200


def test_two_devices_in_the_same_millisecond_agree_on_a_position(store: ProgressStore) -> None:
    one, other = watch(position_ms=10, report_id="report-a"), watch(position_ms=20, report_id="report-b")
    there, back = key(), key()
    for what in (one, other):
        record(store, there, what)
    for what in (other, one):
        record(store, back, what)
    assert store.lesson(there) == store.lesson(back)
    assert store.lesson(there).position_ms == 20


def test_completion_is_noted_once_and_stays(store: ProgressStore) -> None:
    where = key()
    assert store.record(where, watch(0, 1), complete_at=3, now_ms=NOW).completed_at_ms is None
    assert store.record(where, watch(1, 2), complete_at=3, now_ms=NOW + 1).completed_at_ms == NOW + 1
    assert store.record(where, watch(3), complete_at=3, now_ms=NOW + 2).completed_at_ms == NOW + 1
    assert store.record(where, watch(3), complete_at=9, now_ms=NOW + 3).completed_at_ms == NOW + 1


def test_a_text_is_completed_by_saying_so(store: ProgressStore) -> None:
    where = key()
    assert store.complete(where, now_ms=NOW).completed_at_ms == NOW
    assert store.complete(where, now_ms=NOW + 5) == store.lesson(where) == LessonRecord(completed_at_ms=NOW)


def test_the_longest_lesson_fits(store: ProgressStore) -> None:
    where = key()
    everything = range(4320)
    assert record(store, where, watch(*everything), complete_at=3888).completed_at_ms == NOW
    assert store.lesson(where).buckets == set(everything)


def test_a_course_holds_its_own_lessons_only(store: ProgressStore) -> None:
    mine, also_mine = key(course_id=7), key(course_id=7)
    for where in (mine, also_mine, key(course_id=70), key(course_id=7, user_id=11)):
        record(store, where, watch(1))
    found = store.course(user_id=1, course_id=7)
    assert set(found) == {mine.lesson_id, also_mine.lesson_id}
    assert found[mine.lesson_id] == store.lesson(mine)


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own SQLite lives in memory, where threads cannot wait for each other: new threads get a file."""
    if connection.vendor == "sqlite":
        # a new dictionary, because the open connection holds the old one
        on_disk = connections.settings["default"] | {"NAME": str(tmp_path / "shared.sqlite3")}
        monkeypatch.setitem(connections.settings, "default", on_disk)

        def create() -> None:
            with connections["default"].schema_editor() as editor:
                editor.create_model(LessonProgress)
            connections["default"].close()

        maker = threading.Thread(target=create)
        maker.start()
        maker.join()


@pytest.fixture(params=["database", "dynamodb"])
def busy_store(request: pytest.FixtureRequest, shared_database: None) -> ProgressStore:
    if request.param == "database":
        return SqlStore()
    table: Any = request.getfixturevalue("table")
    return DynamoStore(table=TABLE, client=table)


def test_reports_at_the_same_moment_lose_nothing(busy_store: ProgressStore) -> None:
    threads, each = 6, 20
    where = key()
    barrier = threading.Barrier(threads)

    def report(thread: int) -> LessonRecord:
        barrier.wait()
        try:
            for number in range(each):
                bucket = thread * each + number
                what = watch(bucket, at=bucket, position_ms=bucket, report_id=f"report-{bucket}")
                busy_store.record(where, what, complete_at=threads * each, now_ms=NOW)
            return busy_store.lesson(where)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        seen = list(pool.map(report, range(threads)))
    complete = [one for one in seen if one.completed_at_ms is not None]
    assert complete
    assert complete[0].buckets == set(range(threads * each))
    assert complete[0].position_ms == threads * each - 1


def test_dynamodb_writes_without_reading(table: Any) -> None:
    where = key()
    store = DynamoStore(table=TABLE, client=table)
    record(store, where, watch(1, at=1), complete_at=3)
    assert table.calls == ["update_item"]
    record(store, where, watch(2, at=2), complete_at=3)
    assert table.calls == ["update_item"] * 2
    record(store, where, watch(1, at=1), complete_at=3)  # late: the position is refused, the buckets are added
    assert table.calls == ["update_item"] * 4


def test_a_course_of_many_lessons_is_read_page_by_page(table: Any) -> None:
    store = DynamoStore(table=TABLE, client=table)
    lessons: set[UUID] = set()
    for _ in range(5):  # together more than the megabyte that one answer may hold
        where = key()
        lessons.add(where.lesson_id)
        record(store, where, watch(1))
        table.update_item(
            TableName=TABLE,
            Key={"pk": {"S": "USER#1#COURSE#7"}, "sk": {"S": f"LESSON#{where.lesson_id}"}},
            UpdateExpression="SET padding = :padding",
            ExpressionAttributeValues={":padding": {"S": "x" * 300_000}},
        )
    table.calls.clear()
    assert set(store.course(user_id=1, course_id=7)) == lessons
    assert table.calls == ["query"] * 2
