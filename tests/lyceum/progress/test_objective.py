"""What the platform writes into its log of a report of progress is what the objective "progress kept" counts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests.lyceum.progress.conftest import Classroom
from tests.lyceum.progress.test_api import post, report

from lyceum.courses.models import Enrolment
from lyceum.progress import services
from lyceum.web.logs import JsonFormatter
from lyceum_lab.cloudwatch.patterns import matches

DEPLOYED = Path(__file__).parents[2] / "lyceum_lab" / "proofs" / "watch" / "deployed.json"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The log of requests, as a server writes it."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler, logger = Kept(), logging.getLogger("lyceum.request")
    handler.setFormatter(JsonFormatter())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.setLevel(before)
    logger.removeHandler(handler)


def counted(lines: list[str]) -> tuple[int, int]:
    """How many of them the filters that are applied count as kept, and as lost."""
    patterns = {one["filterName"]: one["filterPattern"] for one in json.loads(DEPLOYED.read_text())["filters"]}
    kept, lost = (
        sum(matches(patterns[f"lyceum-prod-progress-{outcome}"], line) for line in lines)
        for outcome in ("kept", "lost")
    )
    return kept, lost


def test_a_report_that_was_kept_counts_as_kept(classroom: Classroom, lines: list[str]) -> None:
    client, sent = classroom.client(), report(classroom)
    for _ in range(2):
        assert post(client, sent).status_code == 200
    assert counted(lines) == (2, 0)


def test_a_store_that_is_away_counts_as_lost(
    classroom: Classroom, lines: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, sent = classroom.client(), report(classroom)
    settings.PROGRESS_URL = "dynamodb://nowhere"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    assert post(client, sent).status_code == 503
    assert counted(lines) == (0, 1)


def test_a_fault_of_the_platforms_counts_as_lost(
    classroom: Classroom, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = classroom.client()
    client.raise_request_exception = False
    monkeypatch.setattr(services, "report", lambda **_: 1 / 0)
    assert post(client, report(classroom)).status_code == 500
    assert counted(lines) == (0, 1)


def test_a_report_that_a_browser_drops_counts_as_lost(classroom: Classroom, lines: list[str], settings: Any) -> None:
    """As after a signing key that was lost: every page that is open is refused for good."""
    client, sent = classroom.client(), report(classroom)
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "the-key-before-it-was-lost"
    token = report(classroom)["token"]
    settings.SECRET_KEY = key
    assert post(client, sent | {"token": token}).json()["code"] == "bad-anchor"
    assert counted(lines) == (0, 1)


def test_what_is_the_visitors_own_counts_for_neither(classroom: Classroom, lines: list[str]) -> None:
    client, sent = classroom.client(), report(classroom)
    refused = [
        post(Client(), sent),
        post(classroom.client(classroom.stranger), sent),
        post(client, sent | {"lesson_id": str(uuid4())}),
        client.get("/"),
        post(client, {"lesson_id": str(classroom.video.pk)}, "/api/v1/progress/anchors"),
    ]
    Enrolment.objects.filter(user=classroom.learner).delete()
    refused.append(post(client, sent))
    assert [one.status_code for one in refused] == [401, 403, 404, 200, 200, 403]
    assert len(lines) == 6
    assert counted(lines) == (0, 0)
