"""What pages are told about a learner's way through a course, and what a player is given."""

from typing import Any

import pytest
from tests.lyceum.progress.conftest import Classroom

from lyceum.content import get_store as get_content_store
from lyceum.progress import anchors, services
from lyceum.progress.domain import LessonKey, Watch, order_of
from lyceum.progress.errors import NotEnrolledError, WrongKindError
from lyceum.progress.stores import get_store
from lyceum.progress.stores.sql import SqlStore


def watch(classroom: Classroom, *buckets: int, seconds: float = 0, at_ms: int | None = None) -> None:
    at_ms = anchors.server_now_ms() if at_ms is None else at_ms
    position_ms = round(seconds * 1000)
    get_store().record(
        LessonKey(classroom.learner.pk, classroom.course.pk, classroom.video.pk),
        Watch(frozenset(buckets), position_ms, order_of(at_ms=at_ms, report_id="report-1", position_ms=position_ms)),
        complete_at=12,
        now_ms=at_ms,
    )


def progress(classroom: Classroom) -> services.CourseProgress:
    return services.course_progress(user=classroom.learner, course=classroom.course)


def test_a_new_learner_begins_with_the_first_lesson(classroom: Classroom) -> None:
    start = progress(classroom)
    assert (start.percent, start.completed, start.total) == (0, 0, 3)
    assert start.resume_lesson_id == classroom.video.pk
    assert start.lessons[classroom.video.pk] == services.LessonProgress(percent=0, completed=False, position=None)


def test_the_course_is_the_mean_of_its_lessons(classroom: Classroom) -> None:
    watch(classroom, *range(6), seconds=30)
    services.mark_complete(user=classroom.learner, lesson=classroom.text)
    now = progress(classroom)
    assert now.lessons[classroom.video.pk] == services.LessonProgress(percent=46, completed=False, position=30)
    assert (now.percent, now.completed) == (48, 1)


def test_one_goes_on_where_one_was_last(classroom: Classroom) -> None:
    watch(classroom, 1, at_ms=1)
    services.mark_complete(user=classroom.learner, lesson=classroom.text)
    assert progress(classroom).resume_lesson_id == classroom.document.pk
    watch(classroom, 2)
    assert progress(classroom).resume_lesson_id == classroom.video.pk
    services.mark_complete(user=classroom.learner, lesson=classroom.document)
    assert progress(classroom).resume_lesson_id == classroom.video.pk


def test_a_finished_course_is_at_a_hundred_and_resumes_nowhere(classroom: Classroom) -> None:
    watch(classroom, *range(12))
    for lesson in (classroom.text, classroom.document):
        services.mark_complete(user=classroom.learner, lesson=lesson)
    end = progress(classroom)
    assert (end.percent, end.completed, end.resume_lesson_id) == (100, 3, None)
    assert end.lessons[classroom.video.pk].percent == 92


def test_a_shorter_film_keeps_what_still_exists(classroom: Classroom) -> None:
    watch(classroom, 0, 1, 11, 12)
    classroom.video.duration_seconds = 12.5
    classroom.video.save()
    assert progress(classroom).lessons[classroom.video.pk].percent == 66


def test_a_video_is_not_marked_by_hand(classroom: Classroom) -> None:
    with pytest.raises(WrongKindError):
        services.mark_complete(user=classroom.learner, lesson=classroom.video)
    with pytest.raises(NotEnrolledError):
        services.mark_complete(user=classroom.stranger, lesson=classroom.text)
    assert SqlStore().course(user_id=classroom.stranger.pk, course_id=classroom.course.pk) == {}


def test_the_player_resumes_but_not_in_the_last_seconds(classroom: Classroom) -> None:
    user, lesson = classroom.learner, classroom.video
    assert services.player(user=user, lesson=lesson).resume_at is None
    watch(classroom, seconds=55.9)
    assert services.player(user=user, lesson=lesson).resume_at == 55.9
    watch(classroom, seconds=56)
    assert services.player(user=user, lesson=lesson).resume_at is None


def test_captions_come_from_this_site_to_whom_the_lesson_is_open(
    classroom: Classroom, tmp_path_factory: pytest.TempPathFactory, settings: Any
) -> None:
    folder = tmp_path_factory.mktemp("content")
    settings.CONTENT_URL = folder.as_uri()
    track = services.player(user=classroom.learner, lesson=classroom.video).captions[0]
    client = classroom.client()
    assert client.get(track.src).status_code == 404  # the file is missing

    source = folder / "source.vtt"
    source.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nŠatas\n", encoding="utf-8")
    get_content_store().put("looms/film.en.vtt", source, content_type="text/vtt")
    answer = client.get(track.src)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/vtt; charset=utf-8"
    assert answer.content.decode() == source.read_text(encoding="utf-8")
    assert client.get(track.src.replace("en.vtt", "de.vtt")).status_code == 404

    assert classroom.client(classroom.stranger).get(track.src).status_code == 403
    client.logout()
    assert client.get(track.src).status_code == 401
