"""docs/tutorial/first-course.md, done line by line: every command is run, every file written, every button pressed."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lyceum_lab import paths
from lyceum_ops.processes import die_with_parent, free_port

pytestmark = pytest.mark.docs

TUTORIAL = paths.CHECKOUT / "docs" / "tutorial" / "first-course.md"
PASSWORD = "a-long-walk-in-the-rain"


class Reader:
    """Somebody at a terminal, who does what the page says from top to bottom."""

    def __init__(self, folder: Path, surroundings: dict[str, str]) -> None:
        self.folder, self.env = folder, surroundings
        self.said: list[str] = []
        self.port = free_port()
        self.server: subprocess.Popen[str] | None = None

    def follow(self, page: str) -> None:
        """Run commands and write files until the page ends."""
        for block in re.finditer(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', page, re.MULTILINE | re.DOTALL):
            kind, name, body = block.groups()
            if name:
                (self.folder / name).write_text(body)
            elif kind == "console":
                for line in body.splitlines():
                    assert line.startswith("$ "), line
                    self.type(line[2:])
            elif kind == "text" and "answers at" not in body:
                self.compare(body)

    def type(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] == "cd":
            self.folder /= words[1]
            (self.folder / ".venv").symlink_to(paths.CHECKOUT / ".venv")
        elif words == ["./lyceum", "serve"]:
            self.serve()
        else:
            done = subprocess.run(
                words, cwd=self.folder, env=self.env, input=f"{PASSWORD}\n", capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
            self.said += done.stdout.splitlines()

    def serve(self) -> None:
        """In the first terminal; at another port, as somebody may sit on the one of the page."""
        self.server = subprocess.Popen(
            ["./lyceum", "serve", "--port", str(self.port)], cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent(signal.SIGINT),
        )  # fmt: skip
        assert self.server.stdout is not None
        lines: list[str] = []
        while "Lyceum answers at" not in (line := self.server.stdout.readline()):
            assert line, "".join(lines)
            lines.append(line)

    def compare(self, shown: str) -> None:
        """What the page shows was said, in this order."""
        wanted = shown.splitlines()
        assert self.said[-len(wanted) :] == wanted


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> Iterator[Reader]:
    reader = Reader(tmp_path_factory.mktemp("reader"), surroundings)
    yield reader
    if reader.server:
        reader.server.send_signal(signal.SIGINT)
        reader.server.wait(timeout=30)


def test_from_a_clone_to_a_learner_who_finished_a_lesson(reader: Reader, chromium: Browser) -> None:
    page = TUTORIAL.read_text()
    draft, published = page.split("Publish it:")
    reader.follow(draft)

    teacher = at_home(chromium, reader)
    teacher.get_by_role("link", name="Sign in").first.click()
    teacher.locator("input[type=email], input[name=login]").first.fill("teacher@example.org")
    teacher.locator("input[type=password]").fill(PASSWORD)
    teacher.locator("main form button[type=submit]").first.click()
    teacher.wait_for_url("**/my-courses/")
    teacher.goto("/courses/reading-maps/")
    expect(teacher.get_by_role("heading", name="Reading maps")).to_be_visible()

    learner = at_home(chromium, reader)
    assert learner.goto("/courses/reading-maps/").status == 404  # type: ignore[union-attr]
    reader.follow(published)

    for button in re.findall(r"\*\*([^*]+)\*\*", published.split("## Where to go")[0]):
        assert button in {"Sign up", "Reading maps", "Enrol in this course", "Scale", "Mark as complete and go on",
                          "1 of 2 lessons complete", "My courses"}, f"{button} is not pressed here"  # fmt: skip
    learner.goto("/")
    learner.get_by_role("link", name="Sign up").first.click()
    learner.locator("input[name=email]").fill("learner@example.org")
    for field in learner.locator("main form input[type=password]").all():
        field.fill(PASSWORD)
    if (name := learner.locator("input[name=display_name]")).count():
        name.fill("A learner")
    learner.locator("main form button[type=submit]").first.click()
    learner.wait_for_url("**/my-courses/")
    learner.goto("/")
    learner.get_by_role("link", name="Reading maps").first.click()
    learner.get_by_role("button", name="Enrol in this course").click()
    learner.get_by_role("link", name=re.compile("Scale")).first.click()
    expect(learner.get_by_role("cell", name="250 m")).to_be_visible()
    learner.get_by_role("button", name="Mark as complete and go on").click()
    expect(learner.get_by_role("heading", name="North")).to_be_visible()
    learner.goto("/courses/reading-maps/")
    expect(learner.get_by_text("1 of 2 lessons complete")).to_be_visible()
    learner.get_by_role("link", name="My courses").first.click()
    expect(learner.get_by_text("Reading maps").first).to_be_visible()


def at_home(chromium: Browser, reader: Reader) -> Page:
    """A device of its own, at the platform's first page."""
    page = chromium.new_context(base_url=f"http://127.0.0.1:{reader.port}").new_page()
    page.goto("/")
    return page
