"""The API as the player uses it, and everything it must refuse without changing anything."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client
from tests.lyceum.progress.conftest import Classroom

from lyceum.courses.models import Enrolment
from lyceum.progress import anchors, services
from lyceum.progress.domain import LessonKey, LessonRecord
from lyceum.progress.stores import get_store

REPORTS = "/api/v1/progress/reports"
ANCHORS = "/api/v1/progress/anchors"
MINUTE = 60_000


def kept(classroom: Classroom) -> LessonRecord:
    key = LessonKey(classroom.learner.pk, classroom.course.pk, classroom.video.pk)
    return get_store().lesson(key)


def token(classroom: Classroom, *, minutes_ago: float = 2, opened_minutes_ago: float | None = None) -> str:
    now_ms = anchors.server_now_ms()
    opened = minutes_ago if opened_minutes_ago is None else opened_minutes_ago
    return anchors.issue(
        user_id=classroom.learner.pk,
        lesson_id=classroom.video.pk,
        now_ms=now_ms - round(minutes_ago * MINUTE),
        opened_at_ms=now_ms - round(opened * MINUTE),
    )


def report(classroom: Classroom, **fields: Any) -> dict[str, Any]:
    good = {
        "lesson_id": str(classroom.video.pk),
        "report_id": str(uuid4()),
        "token": token(classroom),
        "elapsed_ms": MINUTE,
        "position": 30.5,
        "stretches": [[0, 30.5]],
    }
    return good | fields


def post(client: Client, body: Any, url: str = REPORTS) -> Any:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(url, data, content_type="application/json")


def test_a_report_is_kept_and_answered_with_the_state_and_a_fresh_token(classroom: Classroom) -> None:
    sent = report(classroom)
    response = post(classroom.client(), sent)
    assert response.status_code == 200
    answer = response.json()
    assert answer["token"] != sent["token"]
    del answer["token"]
    assert answer == {"position": 30.5, "percent": 46, "watched_seconds": 30, "completed": False}
    assert kept(classroom).buckets == set(range(6))


def test_sending_it_again_changes_nothing(classroom: Classroom) -> None:
    client, sent = classroom.client(), report(classroom)
    post(client, sent)
    once = kept(classroom)
    assert post(client, sent).status_code == 200
    assert kept(classroom) == once


def test_watching_to_the_end_completes(classroom: Classroom) -> None:
    answer = post(classroom.client(), report(classroom, stretches=[[0, 61]], position=61)).json()
    assert answer["completed"]
    assert answer["percent"] == 100
    assert services.course_progress(user=classroom.learner, course=classroom.course).completed == 1


def test_skipping_to_the_end_earns_nothing(classroom: Classroom) -> None:
    answer = post(classroom.client(), report(classroom, stretches=[[0, 2], [60.8, 61]], position=61)).json()
    assert (answer["percent"], answer["completed"]) == (0, False)
    assert answer["position"] == 61


def test_the_newest_position_wins_whichever_report_arrives_last(classroom: Classroom) -> None:
    client, page = classroom.client(), token(classroom)
    post(client, report(classroom, token=page, elapsed_ms=MINUTE, position=40))
    before = report(classroom, token=page, elapsed_ms=MINUTE - 1, position=10, stretches=[[40, 50]])
    late = post(client, before).json()
    assert late["position"] == 40
    assert kept(classroom).buckets == set(range(6)) | {8, 9}


def test_a_renewed_token_remembers_when_the_page_was_opened(classroom: Classroom) -> None:
    client = classroom.client()
    first = post(client, report(classroom)).json()
    longer = report(classroom, token=first["token"], elapsed_ms=0, stretches=[[0, 61]])
    assert post(client, longer).status_code == 200
    without = post(client, {"lesson_id": str(classroom.video.pk)}, ANCHORS).json()
    refused = post(client, longer | {"token": without["token"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "implausible")
    renewed = post(client, {"lesson_id": str(classroom.video.pk), "token": first["token"]}, ANCHORS).json()
    assert post(client, longer | {"token": renewed["token"]}).status_code == 200


def test_an_anchor_tells_where_the_learner_is_and_changes_nothing(classroom: Classroom) -> None:
    client = classroom.client()
    nothing = post(client, {"lesson_id": str(classroom.video.pk)}, ANCHORS).json()
    assert nothing["position"] is None
    assert kept(classroom) == LessonRecord()
    post(client, report(classroom))
    damaged = {"lesson_id": str(classroom.video.pk), "token": "nonsense"}
    assert post(client, damaged, ANCHORS).json()["position"] == 30.5


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"token": "forged"}, 400, "bad-anchor"),
        ({"token": None}, 400, "bad-anchor"),
        ({"token": "x" * 5000}, 400, "bad-anchor"),
        ({"elapsed_ms": 5 * MINUTE}, 400, "from-the-future"),
        ({"elapsed_ms": 4 * 365 * 24 * 60 * MINUTE}, 400, "malformed-report"),
        ({"elapsed_ms": 300 * 24 * 60 * MINUTE}, 400, "from-the-future"),
        ({"elapsed_ms": -1}, 400, "malformed-report"),
        ({"elapsed_ms": 0, "stretches": [[0, 61]]}, 400, "implausible"),
        ({"stretches": [[10, 5]]}, 400, "malformed-report"),
        ({"stretches": [[-5, 5]]}, 400, "malformed-report"),
        ({"stretches": [[0, 6000]]}, 400, "malformed-report"),
        ({"stretches": [[0, 0.1]] * 201}, 400, "malformed-report"),
        ({"stretches": "all"}, 400, "malformed-report"),
        ({"position": 1e300}, 400, "malformed-report"),
        ({"report_id": ""}, 400, "malformed-report"),
        ({"lesson_id": "first"}, 400, "malformed-report"),
        ({"lesson_id": str(uuid4())}, 404, "lesson-not-found"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(
    classroom: Classroom, fields: dict[str, Any], status: int, code: str
) -> None:
    client = classroom.client()
    good = report(classroom)
    if "elapsed_ms" in fields and "stretches" in fields:
        fields = fields | {"token": token(classroom, minutes_ago=0)}
    refused = post(client, good | fields)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["detail"].endswith(".")
    assert kept(classroom) == LessonRecord()
    assert post(client, good).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"position": NaN}',
        '{"a": 1e999}',
        "[" * 20_000,
        b"\xff\xfe",
        '{"lesson_id": "\\u0000"}',
    ],
)
def test_a_body_that_is_no_report_is_refused(classroom: Classroom, body: str | bytes) -> None:
    refused = post(classroom.client(), body)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed-report")


def test_not_a_number_is_refused(classroom: Classroom) -> None:
    body = json.dumps(report(classroom)).replace("30.5]]", "NaN]]")
    refused = post(classroom.client(), body)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed-report")
    assert kept(classroom) == LessonRecord()


def test_a_token_signed_for_something_else_is_refused(classroom: Classroom) -> None:
    payload = {"u": classroom.learner.pk, "l": str(classroom.video.pk), "o": 0, "i": 0}
    other_purpose = signing.dumps(payload, salt="another purpose")
    assert post(classroom.client(), report(classroom, token=other_purpose)).json()["code"] == "bad-anchor"


def test_a_token_of_another_learner_or_lesson_is_refused(classroom: Classroom) -> None:
    Enrolment.objects.create(user=classroom.stranger, course=classroom.course)
    refused = post(classroom.client(classroom.stranger), report(classroom))
    assert (refused.status_code, refused.json()["code"]) == (403, "other-learner")
    elsewhere = anchors.issue(
        user_id=classroom.learner.pk, lesson_id=classroom.text.pk, now_ms=anchors.server_now_ms() - 2 * MINUTE
    )
    assert post(classroom.client(), report(classroom, token=elsewhere)).json()["code"] == "bad-anchor"
    assert kept(classroom) == LessonRecord()


def test_a_device_may_be_offline_for_a_month_and_no_longer(classroom: Classroom) -> None:
    month = 30 * 24 * 60
    client = classroom.client()
    assert post(client, report(classroom, token=token(classroom, minutes_ago=month - 1))).status_code == 200
    late = post(client, report(classroom, token=token(classroom, minutes_ago=month + 1)))
    assert (late.status_code, late.json()["code"]) == (400, "anchor-expired")


def test_only_the_enrolled_report(classroom: Classroom) -> None:
    Enrolment.objects.all().delete()
    refused = post(classroom.client(), report(classroom))
    assert (refused.status_code, refused.json()["code"]) == (403, "not-enrolled")
    classroom.course.published = False
    classroom.course.save()
    assert post(classroom.client(), report(classroom)).status_code == 404
    classroom.course.instructors.add(classroom.learner)
    assert post(classroom.client(), report(classroom)).status_code == 200


def test_only_videos_report(classroom: Classroom) -> None:
    refused = post(classroom.client(), report(classroom, lesson_id=str(classroom.text.pk)))
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-kind")


def test_nobody_reports_without_a_session_or_from_another_site(classroom: Classroom) -> None:
    sent = report(classroom)
    assert post(Client(), sent).status_code == 401
    strict = classroom.client(enforce_csrf_checks=True)
    assert post(strict, sent).status_code == 403
    assert kept(classroom) == LessonRecord()


def test_a_body_of_megabytes_is_refused_before_it_is_read(classroom: Classroom) -> None:
    client = classroom.client()
    for size in (70_000, 10_000_000):
        refused = post(client, report(classroom, report_id="x" * size))
        assert refused.status_code == 413
    assert kept(classroom) == LessonRecord()


def test_a_store_that_is_away_is_not_the_players_fault(classroom: Classroom, settings: Any) -> None:
    client, sent = classroom.client(), report(classroom)
    settings.PROGRESS_URL = "dynamodb://nowhere"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        away = post(client, sent)
        assert (away.status_code, away.json()["code"]) == (503, "store-unavailable")
        assert not services.course_progress(user=classroom.learner, course=classroom.course).available
        assert services.player(user=classroom.learner, lesson=classroom.video).resume_at is None
    settings.PROGRESS_URL = "database:"
    assert post(client, sent).status_code == 200


def test_the_media_address_is_renewed(classroom: Classroom) -> None:
    client = classroom.client()
    answer = client.get(f"/api/v1/lessons/{classroom.video.pk}/media").json()
    assert answer["url"]
    assert answer["expires_in"] == services.MEDIA_URL_SECONDS
    assert answer["expires_at"].endswith("Z")
    assert client.get(f"/api/v1/lessons/{classroom.text.pk}/media").status_code == 409
    assert client.get(f"/api/v1/lessons/{uuid4()}/media").status_code == 404
    assert classroom.client(classroom.stranger).get(f"/api/v1/lessons/{classroom.video.pk}/media").status_code == 403
    assert Client().get(f"/api/v1/lessons/{classroom.video.pk}/media").status_code == 401
