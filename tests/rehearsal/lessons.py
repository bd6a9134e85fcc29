"""Learners at work: they read pages and report what they watched, all the time, and keep what was acknowledged.

Each report is sent until it is acknowledged, as the player does, and each acknowledgement is held against the table at
once and once more at the end. A request counts as lost when it did not end in the answer that it asked for.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests
from tests.rehearsal.test_api import Learner
from tests.rehearsal.test_learner import COURSE, lessons

TABLE = "lyceum-dev-progress"
PATIENCE = 20  # seconds for one answer
PAUSE = 0.1


@dataclass
class Lesson:
    """One learner in one lesson."""

    learner: Learner
    table: Any
    course: str = f"/courses/{COURSE.name}/"
    asked: int = 0
    lost: list[str] = field(default_factory=list)
    lost_at: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # ids of reports
    missing: list[str] = field(default_factory=list)  # acknowledged, and not in the table
    watched: int = 0  # seconds, as last acknowledged

    def open(self) -> None:
        """Enrol, and open the first video."""
        learner = self.learner
        joined = learner.post(
            f"{learner.base}{self.course}enrol/",
            data={"csrfmiddlewaretoken": learner.csrf()},
            headers={"Referer": learner.base},
        )
        assert joined.ok, joined.text
        slug = next(name for name, kind in lessons() if kind == "video")
        self.page = f"{learner.base}{self.course}lessons/{slug}/"
        page = learner.get(self.page).text
        found = [re.search(rf'data-{name}="([^"]+)"', page) for name in ("lesson", "duration")]
        assert all(found), f"{slug} shows no player"
        self.lesson, self.duration = found[0][1], float(found[1][1])  # type: ignore[index]
        self.token = learner.api("/progress/anchors", lesson_id=self.lesson).json()["token"]
        self.began = time.monotonic()
        self.key: dict[str, Any] = {}

    def learn(self, end: threading.Event) -> None:
        """Watch on, until the event; then end with an acknowledged report."""
        while not end.wait(PAUSE):
            self._ask(lambda: self.learner.get(self.page, timeout=PATIENCE))
            self._report(end)

    def _report(self, end: threading.Event) -> None:
        played = (time.monotonic() - self.began) % self.duration
        name = str(uuid.uuid4())
        told = {
            "lesson_id": self.lesson, "report_id": name, "token": self.token, "position": played,
            "elapsed_ms": int((time.monotonic() - self.began) * 1000), "stretches": [[0, played]],
        }  # fmt: skip
        while (answer := self._ask(lambda: self.learner.api("/progress/reports", timeout=PATIENCE, **told))) is None:
            # The browser keeps it and tries again; what never was acknowledged is not lost.
            if end.wait(PAUSE):
                return
        self.acknowledged.append(name)
        self.watched = max(self.watched, answer.json()["watched_seconds"])
        if name not in self.kept().get("position_order", {}).get("S", ""):
            self.missing.append(name)

    def kept(self) -> dict[str, Any]:
        """What the table holds of this lesson."""
        if not self.key:
            items = self.table.scan(TableName=TABLE, ConsistentRead=True)["Items"]
            mine = [one for one in items if one.get("position_order", {}).get("S", "").split("#")[1:2] == [self.last]]
            if not mine:
                return {}
            self.key = {"pk": mine[0]["pk"], "sk": mine[0]["sk"]}
        found: dict[str, Any] = self.table.get_item(TableName=TABLE, Key=self.key, ConsistentRead=True).get("Item", {})
        return found

    @property
    def last(self) -> str:
        return self.acknowledged[-1]

    def _ask(self, request: Any) -> requests.Response | None:
        self.asked += 1
        try:
            answer: requests.Response = request()
        except OSError as error:
            self._lose(type(error).__name__)
            return None
        if answer.status_code != 200:
            self._lose(str(answer.status_code))
            return None
        return answer

    def _lose(self, how: str) -> None:
        self.lost.append(how)
        self.lost_at.append(time.monotonic())


class Classroom:
    """Learners who learn as long as the `with` lasts."""

    def __init__(self, lessons: list[Lesson]) -> None:
        self.lessons = lessons
        self._end = threading.Event()
        self._threads = [threading.Thread(target=one.learn, args=(self._end,), daemon=True) for one in lessons]

    def __enter__(self) -> Classroom:
        self.began = time.monotonic()
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for one in self._threads:
            one.join(PATIENCE + 10)
        self.seconds = time.monotonic() - self.began

    @property
    def asked(self) -> int:
        return sum(one.asked for one in self.lessons)

    @property
    def lost(self) -> list[str]:
        return [how for one in self.lessons for how in one.lost]

    @property
    def losing(self) -> float:
        """Seconds from the first lost request to the last."""
        moments = [at for one in self.lessons for at in one.lost_at]
        return max(moments) - min(moments) if moments else 0.0

    @property
    def acknowledged(self) -> int:
        return sum(len(one.acknowledged) for one in self.lessons)

    def missing(self) -> list[str]:
        """Every acknowledged report that the table does not hold: not then, or not any more."""
        found = [name for one in self.lessons for name in one.missing]
        for one in self.lessons:
            kept = one.kept()
            if one.last not in kept.get("position_order", {}).get("S", ""):
                found.append(one.last)
            if 5 * len(kept.get("watched", {}).get("NS", [])) < one.watched - 5:
                found.append(f"{one.watched} seconds")
        return found

    def figures(self) -> str:
        count = {how: self.lost.count(how) for how in sorted(set(self.lost))}
        told = ", ".join(f"{number} × {how}" for how, number in count.items())
        over = f" ({told}, within {self.losing:.0f} s)" if told else ""
        return (
            f"{self.asked} requests in {self.seconds:.0f} s, {len(self.lost)} lost{over}; "
            f"{self.acknowledged} reports acknowledged, {len(self.missing())} of them lost"
        )
