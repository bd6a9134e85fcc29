"""A program takes the way of a browser: sign in, enrol, finish a video through the API that the player uses."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import pytest
import requests
from tests.rehearsal.test_learner import COURSE, lessons

pytestmark = pytest.mark.e2e


class Learner(requests.Session):
    """A session that carries Django's CSRF token as a browser's pages do."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base.rstrip("/")
        self.trust_env = False

    def csrf(self) -> str:
        return str(self.cookies["csrftoken"])

    def form(self, path: str, **fields: str) -> requests.Response:
        self.get(self.base + path)
        fields["csrfmiddlewaretoken"] = self.csrf()
        return self.post(self.base + path, data=fields, headers={"Referer": self.base + path})

    def api(self, path: str, timeout: float = 60, **body: Any) -> requests.Response:
        headers = {"X-CSRFToken": self.csrf(), "Referer": self.base}
        return self.post(f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=timeout)


def test_a_video_is_finished_through_the_players_api_and_only_after_its_time(rehearsed: dict[str, Any]) -> None:
    account = next(account for account in rehearsed["accounts"] if account["role"] == "instructor")
    learner = Learner(rehearsed["url"])
    assert learner.form("/accounts/login/", login=account["email"], password=account["password"]).ok
    course = f"/courses/{COURSE.name}/"
    assert learner.post(
        f"{learner.base}{course}enrol/",
        data={"csrfmiddlewaretoken": learner.csrf()},
        headers={"Referer": learner.base},
    ).ok
    slug = next(name for name, kind in reversed(lessons()) if kind == "video")
    page = learner.get(f"{learner.base}{course}lessons/{slug}/").text
    lesson = _attribute(page, "lesson")
    duration = float(_attribute(page, "duration"))
    token = learner.api("/progress/anchors", lesson_id=lesson).json()["token"]
    began = time.monotonic()

    def report(elapsed_ms: int) -> requests.Response:
        return learner.api(
            "/progress/reports",
            lesson_id=lesson,
            report_id=str(uuid.uuid4()),
            token=token,
            elapsed_ms=elapsed_ms,
            position=duration,
            stretches=[[0, duration]],
        )

    # The whole film a moment after it was opened, or with a clock that runs ahead: refused, and nothing is kept.
    assert report(100).json()["code"] == "implausible"
    assert report(3_600_000).json()["code"] == "from-the-future"
    assert learner.api("/progress/anchors", lesson_id=lesson).json()["percent"] == 0

    time.sleep(max(0.0, (duration - 15) / 2.5 + 1))
    done = report(int((time.monotonic() - began) * 1000))
    assert done.status_code == 200, done.text
    assert done.json()["completed"] is True
    assert report(int((time.monotonic() - began) * 1000)).json()["watched_seconds"] == done.json()["watched_seconds"]
    shown = re.sub(r"<[^>]+>", "", learner.get(learner.base + course).text)
    assert re.search(rf"1 of {len(lessons())} lessons complete", shown)


def _attribute(page: str, name: str) -> str:
    found = re.search(rf'data-{name}="([^"]+)"', page)
    assert found, f"the player's page has no data-{name}"
    return found[1]
