"""A folder is loaded whole or not at all, twice is the same as once, and learners keep their lessons' ids."""

import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lyceum.accounts.models import User
from lyceum.content.folder import FolderStore
from lyceum.courses.models import Course, Lesson, Section

from .conftest import Replace

pytestmark = pytest.mark.django_db(transaction=True)


def load(course: Path, *options: str) -> str:
    out = StringIO()
    call_command("load_course", str(course), *options, stdout=out, stderr=out)
    return out.getvalue()


def refused(course: Path) -> tuple[list[str], str]:
    """The lines of a load that must fail, and its closing line."""
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("load_course", str(course), stdout=out, stderr=out)
    return out.getvalue().splitlines(), str(caught.value)


def rows() -> list[object]:
    return [
        list(Course.objects.order_by("pk").values()),
        list(Section.objects.order_by("pk").values()),
        list(Lesson.objects.order_by("pk").values()),
    ]


def kept(store: FolderStore) -> dict[str, bytes]:
    return {key: (store.root / key).read_bytes() for key in store.list()}


def test_a_course_is_loaded(course: Path, store: FolderStore) -> None:
    said = load(course)
    assert "Loaded 'Tides' (tides): 2 sections, 3 lessons" in said
    found = Course.objects.get()
    assert (found.slug, found.topic, found.published) == ("tides", "Nature", True)
    assert [lesson.slug for lesson in Lesson.objects.in_order()] == ["ebb-and-flow", "pull", "table"]
    video = Lesson.objects.get(slug="pull")
    assert (video.kind, video.duration_seconds, video.media_type) == ("video", 91, "video/mp4")
    with store.open(video.media_key) as file:
        assert file.read() == (course / "media/pull.mp4").read_bytes()
    assert video.media_bytes == (course / "media/pull.mp4").stat().st_size
    assert video.captions == [{"key": video.captions[0]["key"], "language": "en", "label": "English"}]
    named = {found.cover_key, video.media_key, video.captions[0]["key"], Lesson.objects.get(slug="table").media_key}
    assert set(kept(store)) == named
    assert store.content_type(video.captions[0]["key"]) == "text/vtt"


def test_the_same_folder_twice_changes_nothing(course: Path, store: FolderStore) -> None:
    load(course)
    before, media = rows(), kept(store)
    assert "Nothing changed: 'Tides' (tides) is as the folder has it" in load(course)
    assert (rows(), kept(store)) == (before, media)


def test_media_lost_from_the_store_are_stored_again(course: Path, store: FolderStore) -> None:
    load(course)
    media = kept(store)
    shutil.rmtree(store.root)
    assert "Media stored: 4 files" in load(course)
    assert kept(store) == media


def test_a_dry_run_changes_nothing(course: Path, store: FolderStore, replace: Replace) -> None:
    said = load(course, "--dry-run")
    assert "Loaded 'Tides'" in said
    assert said.rstrip().endswith("This was a dry run: nothing was changed.")
    assert (rows(), kept(store)) == ([[], [], []], {})
    load(course)
    before, media = rows(), kept(store)
    replace("course.yaml", "      - lessons/02.md\n", "")
    said = load(course, "--dry-run")
    assert "Removed: pull" in said
    assert "Media removed: 2 files" in said
    assert (rows(), kept(store)) == (before, media)


def test_an_update_keeps_the_lessons_that_keep_their_slug(course: Path, store: FolderStore, replace: Replace) -> None:
    load(course)
    ids = dict(Lesson.objects.values_list("slug", "pk"))
    old_video = Lesson.objects.get(slug="pull").media_key
    (course / "media/pull.mp4").write_bytes((course / "media/pull.mp4").read_bytes() + b"\0\0\0\x08free")
    # The first section goes; one of its lessons moves to the second, under another file name and title.
    (course / "lessons/02.md").rename(course / "lessons/moved.md")
    replace("lessons/moved.md", "The pull of the moon", "The moon's pull")
    text = (course / "course.yaml").read_text()
    (course / "course.yaml").write_text(
        text[: text.index("  - slug: moon")]
        + "  - slug: sun\n    title: Both\n    lessons: [lessons/moved.md, lessons/03.md]\n"
    )
    said = load(course)
    assert "Updated 'Tides' (tides): 1 section, 2 lessons" in said
    assert "Changed: pull, table" in said
    assert "Removed: ebb-and-flow" in said
    assert dict(Lesson.objects.values_list("slug", "pk")) == {slug: ids[slug] for slug in ("pull", "table")}
    assert list(Section.objects.values_list("slug", "title", "position")) == [("sun", "Both", 1)]
    video = Lesson.objects.get(slug="pull")
    assert video.title == "The moon's pull"
    assert not store.exists(old_video)
    assert store.exists(video.media_key)
    assert "Media removed: 1 file" in said


def test_faults_are_printed_a_line_each_and_nothing_is_loaded(
    course: Path, store: FolderStore, replace: Replace
) -> None:
    replace("course.yaml", "level: beginner", "level: easy")
    replace("lessons/02.md", "pull.mp4", "gone.mp4")
    lines, closing = refused(course)
    assert lines == [
        "course.yaml:5: level: 'easy' must be one of beginner, intermediate, advanced",
        "lessons/02.md:5: video: media/gone.mp4: there is no such file",
    ]
    assert closing == f"{course} was not loaded: 2 faults. Nothing was changed."
    assert (rows(), kept(store)) == ([[], [], []], {})


@pytest.fixture
def _no_third_lesson() -> Iterator[None]:
    """The database refuses one row, late in the transaction."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("the trigger is written for SQLite")
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON courses_lesson WHEN NEW.slug = 'table' "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse")


@pytest.mark.usefixtures("_no_third_lesson")
def test_a_failing_transaction_leaves_neither_rows_nor_media(course: Path, store: FolderStore) -> None:
    _, closing = refused(course)
    assert "The database failed: no room" in closing
    assert closing.endswith("Nothing was changed.")
    assert (rows(), kept(store)) == ([[], [], []], {})


def test_a_failing_update_keeps_what_was_there(
    course: Path, store: FolderStore, replace: Replace, request: pytest.FixtureRequest
) -> None:
    replace("course.yaml", "[lessons/03.md]", "[lessons/01b.md]")
    (course / "lessons/01b.md").write_text((course / "lessons/01.md").read_text().replace("ebb-and-flow", "again"))
    load(course)
    before, media = rows(), kept(store)
    request.getfixturevalue("_no_third_lesson")
    replace("course.yaml", "[lessons/01b.md]", "[lessons/03.md]")
    (course / "media/cover.png").write_bytes((course / "media/cover.png").read_bytes() + b"new")
    refused(course)
    assert (rows(), kept(store)) == (before, media)


def test_a_store_that_fills_up_leaves_nothing(
    course: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, calls = FolderStore.put, []

    def full(self: FolderStore, key: str, path: Path, *, content_type: str) -> None:
        calls.append(key)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        put(self, key, path, content_type=content_type)

    monkeypatch.setattr(FolderStore, "put", full)
    _, closing = refused(course)
    assert "No space left on device" in closing
    assert len(calls) == 3
    assert (rows(), kept(store)) == ([[], [], []], {})


def test_instructors_are_accounts_that_may_teach(course: Path, store: FolderStore, replace: Replace) -> None:
    User.objects.create_user("sea@example.org", role=User.Role.INSTRUCTOR)
    User.objects.create_user("pupil@example.org")
    names = "instructors:\n  - Sea@example.org\n  - pupil@example.org\n  - nobody@example.org"
    replace("course.yaml", "topic: Nature", names)
    lines, _ = refused(course)
    assert lines == [
        "course.yaml:6: instructors: pupil@example.org is a student, not an instructor",
        "course.yaml:7: instructors: there is no account with the e-mail nobody@example.org",
    ]
    assert not Course.objects.exists()
    replace("course.yaml", "\n  - pupil@example.org\n  - nobody@example.org", "")
    load(course)
    assert [user.email for user in Course.objects.get().instructors.all()] == ["sea@example.org"]
    # A folder that does not speak of instructors leaves them alone.
    replace("course.yaml", "instructors:\n  - Sea@example.org", "topic: Sea")
    load(course)
    assert Course.objects.get().instructors.count() == 1


def test_a_course_made_on_the_platform_is_not_overwritten(course: Path, store: FolderStore) -> None:
    Course.objects.create(slug="tides", title="Written by hand")
    lines, _ = refused(course)
    assert lines == [
        "course.yaml:1: slug: the course 'tides' was made on the platform, not from a folder; choose another slug"
    ]
    assert Course.objects.get().title == "Written by hand"
    assert kept(store) == {}


def test_of_very_many_faults_the_first_are_shown(course: Path, replace: Replace) -> None:
    replace("course.yaml", "topic: Nature", "instructors: [" + ", ".join(f"n{n}" for n in range(120)) + "]")
    lines, closing = refused(course)
    assert len(lines) == 51
    assert all("is not an e-mail" in line for line in lines[:50])
    assert lines[-1] == "… and 70 more faults."
    assert "120 faults" in closing
