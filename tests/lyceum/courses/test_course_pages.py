"""Courses and lessons as a visitor, a learner, an instructor and an intruder find them."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from tests.lyceum.conftest import Put, signed_in

from lyceum.accounts.models import User
from lyceum.courses.models import Course, Enrolment, Lesson, Section
from lyceum.courses.services import enrol

pytestmark = pytest.mark.django_db

LESSON = "/courses/maps/lessons/"


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_a_visitor_reads_what_a_course_holds(client: Client, course: Course) -> None:
    text = page(client, "/courses/maps/")
    for words in ("Reading maps", "First steps", "What a map is", "A walk", "The sheet", "Hypatia", "Enrol in this"):
        assert words in text
    assert LESSON not in text  # no links to lessons that would not open


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_course_that_one_may_not_see_looks_like_none(
    client: Client, draft: Course, student: User, method: str
) -> None:
    lesson = "/courses/draft/lessons/words/"
    for browser in (client, signed_in(student)):
        for address in ("/courses/draft/", "/courses/draft/enrol/", lesson, f"{lesson}complete/"):
            answer = getattr(browser, method)(address)
            assert answer.status_code in {404, 405}, address
            assert "Half a thought" not in answer.content.decode()
            assert "hidden words" not in answer.content.decode()
    assert not Enrolment.objects.exists()


def test_an_instructor_opens_a_draft(draft: Course, instructor: User, administrator: User) -> None:
    for user in (instructor, administrator):
        assert "Draft" in page(signed_in(user), "/courses/draft/")
        assert "hidden words" in page(signed_in(user), "/courses/draft/lessons/words/")


def test_a_course_withdrawn_after_enrolment_is_gone(learner: Client, course: Course) -> None:
    Course.objects.update(published=False)
    assert learner.get("/courses/maps/").status_code == 404
    assert learner.get(f"{LESSON}words/").status_code == 404
    assert "Reading maps" not in page(learner, "/my-courses/")


def test_enrolling(student: User, course: Course) -> None:
    client = signed_in(student)
    answer = client.post("/courses/maps/enrol/", follow=True)
    assert answer.redirect_chain == [("/courses/maps/", 302)]
    text = answer.content.decode()
    assert "You are enrolled in Reading maps." in text
    assert "0 of 3 lessons complete" in text
    assert f"{LESSON}words/" in text
    client.post("/courses/maps/enrol/")
    assert Enrolment.objects.count() == 1


def test_enrolling_is_never_done_by_a_link(student: User, course: Course) -> None:
    assert signed_in(student).get("/courses/maps/enrol/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/courses/maps/enrol/").status_code == 403
    assert not Enrolment.objects.exists()


def test_the_database_keeps_one_enrolment(student: User, course: Course) -> None:
    enrol(user=student, course=course)
    with pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.create(user=student, course=course)


def test_a_visitor_who_enrols_is_asked_to_sign_in_and_comes_back(client: Client, course: Course) -> None:
    answer = client.post("/courses/maps/enrol/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/courses/maps/")
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("lesson", ["words", "film", "sheet"])
def test_lessons_are_closed_to_those_who_are_not_enrolled(
    client: Client, stranger: User, course: Course, lesson: str
) -> None:
    answer = client.get(f"{LESSON}{lesson}/")
    assert answer["Location"] == f"/accounts/login/?next={LESSON}{lesson}/"
    answer = signed_in(stranger).get(f"{LESSON}{lesson}/", follow=True)
    assert answer.redirect_chain == [("/courses/maps/", 302)]
    assert "Enrol in the course first" in answer.content.decode()


def test_completing_is_closed_to_those_who_are_not_enrolled(
    client: Client, stranger: User, instructor: User, course: Course
) -> None:
    for browser in (client, signed_in(stranger), signed_in(instructor)):
        answer = browser.post(f"{LESSON}words/complete/", follow=True)
        assert "is complete" not in answer.content.decode()


def test_a_text(learner: Client) -> None:
    text = page(learner, f"{LESSON}words/")
    assert "<em>Look.</em>" in text
    assert "Lesson 1 of 3" in text
    assert 'rel="prev"' not in text
    assert f'href="{LESSON}film/" rel="next"' in text


def test_a_video(learner: Client) -> None:
    text = page(learner, f"{LESSON}film/")
    assert "<video" in text
    assert "/content/maps/walk.mp4?" in text
    assert "Mark as complete" not in text
    assert f'href="{LESSON}words/" rel="prev"' in text


def test_a_document(learner: Client) -> None:
    answer = learner.get(f"{LESSON}sheet/")
    text = answer.content.decode()
    assert "PDF" in text
    assert "2.0\xa0KB" in text
    assert "<iframe" in text
    download = text.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    fetched = learner.get(download)
    assert fetched["Content-Disposition"].startswith('attachment; filename="sheet.pdf"')
    assert b"".join(fetched) == b"%PDF-1.4 a sheet"
    assert "no-store" in answer["Cache-Control"]


def test_a_document_that_could_run_is_only_downloaded(learner: Client, course: Course, put: Put) -> None:
    key = put("maps/trap.html", b"<script>alert(1)</script>", "text/html")
    Lesson.objects.filter(slug="sheet").update(media_key=key, media_type="text/html")
    text = page(learner, f"{LESSON}sheet/")
    assert "<iframe" not in text
    assert ">Open</a>" not in text
    assert "Download" in text


def test_completing_a_text_and_a_document(learner: Client) -> None:
    answer = learner.post(f"{LESSON}words/complete/", follow=True)
    assert answer.redirect_chain == [(f"{LESSON}film/", 302)]
    assert "“What a map is” is complete." in answer.content.decode()
    assert "33%" in page(learner, "/courses/maps/")
    answer = learner.post(f"{LESSON}sheet/complete/", follow=True)
    assert answer.redirect_chain == [("/courses/maps/", 302)]
    assert "2 of 3 lessons complete" in answer.content.decode()
    assert "Mark as complete" not in page(learner, f"{LESSON}words/")
    assert learner.get(f"{LESSON}words/complete/").status_code == 405


def test_a_video_is_not_completed_by_a_button(learner: Client) -> None:
    answer = learner.post(f"{LESSON}film/complete/", follow=True)
    assert "completed by watching" in answer.content.decode()
    assert "0 of 3 lessons complete" in page(learner, "/courses/maps/")


def test_my_courses(learner: Client, course: Course, draft: Course) -> None:
    text = page(learner, "/my-courses/")
    assert "Reading maps" in text
    assert "Half a thought" not in text
    assert "Start<" in text
    learner.post(f"{LESSON}words/complete/")
    text = page(learner, "/my-courses/")
    assert "Continue<" in text
    assert f'href="{LESSON}film/"' in text
    assert 'value="33"' in text


def test_my_courses_of_a_newcomer_an_instructor_and_nobody(
    client: Client, stranger: User, instructor: User, course: Course, draft: Course
) -> None:
    assert "not enrolled in a course yet" in page(signed_in(stranger), "/my-courses/")
    text = page(signed_in(instructor), "/my-courses/")
    assert "Courses you teach" in text
    assert "Half a thought" in text
    assert client.get("/my-courses/")["Location"].startswith("/accounts/login/")


def test_a_finished_course_says_so(learner: Client, course: Course) -> None:
    Lesson.objects.filter(kind="video").delete()
    learner.post(f"{LESSON}words/complete/")
    learner.post(f"{LESSON}sheet/complete/")
    assert "You have finished this course." in page(learner, "/courses/maps/")
    assert "Finished" in page(learner, "/my-courses/")


def test_a_course_without_lessons(client: Client, db: None) -> None:
    Course.objects.create(slug="empty", title="Empty", published=True)
    assert "no lessons in this course yet" in page(client, "/courses/empty/")


def test_one_does_not_see_the_progress_of_another(learner: Client, stranger: User, course: Course) -> None:
    learner.post(f"{LESSON}words/complete/")
    enrol(user=stranger, course=course)
    assert "0 of 3 lessons complete" in page(signed_in(stranger), "/courses/maps/")


def test_what_authors_write_cannot_run(learner: Client, course: Course) -> None:
    hostile = "# Hi\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[go](javascript:alert(1))"
    Course.objects.update(description_md=hostile, title="<script>alert(2)</script>")
    Lesson.objects.filter(slug="words").update(body_md=hostile)
    for text in (page(learner, "/courses/maps/"), page(learner, f"{LESSON}words/"), page(learner, "/")):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript' not in text


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "game"},
        {"kind": "video", "media_key": "a.mp4"},
        {"kind": "video", "duration_seconds": 10},
        {"kind": "document"},
        {"kind": "video", "media_key": "a.mp4", "duration_seconds": 0},
        {"kind": "video", "media_key": "a.mp4", "duration_seconds": 21_601},
    ],
)
def test_the_database_refuses_a_lesson_that_no_page_could_show(draft: Course, change: dict[str, object]) -> None:
    good = {"course": draft, "section": Section.objects.get(), "slug": "x", "title": "X"}
    fitting = {**good, "slug": "y", "kind": "video", "media_key": "a.mp4", "duration_seconds": 10}
    Lesson.objects.create(**fitting)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lesson.objects.create(**{**good, **change})
