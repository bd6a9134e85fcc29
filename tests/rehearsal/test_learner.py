"""A learner in Chromium on a fresh rehearsal: sign up, enrol, watch, leave, come back on a second device, finish."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = pytest.mark.e2e

COURSE = Path(__file__).resolve().parents[2] / "samples" / "courses" / "how-the-cloud-works"
PASSWORD = "a-long-walk-in-the-rain"
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def lessons() -> list[tuple[str, str]]:
    """Slug and kind of every lesson of the sample course, in their order."""
    course = yaml.safe_load((COURSE / "course.yaml").read_text())
    found = []
    for section in course["sections"]:
        for name in section["lessons"]:
            front = yaml.safe_load((COURSE / name).read_text().split("---")[1])
            found.append((front["slug"], front.get("kind", "text")))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            # Root in a container has no sandbox; nothing but the rehearsal is opened.
            args=["--no-sandbox", "--disable-background-networking", "--autoplay-policy=no-user-gesture-required"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def device(browser: Browser, rehearsed: dict[str, Any]) -> Iterator[Any]:
    """Makes devices: `device(viewport)` is a browser of its own, without cookies, that fails on any script error."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def make(viewport: dict[str, int]) -> Page:
        context = browser.new_context(base_url=rehearsed["url"], viewport=viewport)  # type: ignore[arg-type]
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
        )
        return page

    yield make
    for context in opened:
        context.close()
    assert faults == []


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").or_(page.get_by_label("Email")).first.fill(email)
    page.locator("input[type=password]").fill(password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/my-courses/")


def until(page: Page, expression: str, seconds: float = 15) -> None:
    """Wait until an expression is true; from outside, as the page's policy forbids waiting inside by eval."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never came true: {expression}"
        page.wait_for_timeout(100)


def play(page: Page, seconds: float, rate: float = 2.0) -> None:
    """Play the video for `seconds` of its own time, as a learner who chose a higher speed."""
    page.evaluate("rate => { const v = document.querySelector('video'); v.playbackRate = rate; return v.play() }", rate)
    start = page.evaluate("document.querySelector('video').currentTime")
    video = "document.querySelector('video')"
    until(page, f"{video}.ended || {video}.currentTime >= {start + seconds}", 120)
    page.evaluate("document.querySelector('video').pause()")


def test_a_learner_signs_up_watches_leaves_and_finishes_on_a_second_device(
    device: Any, rehearsed: dict[str, Any]
) -> None:
    email = f"learner-{int(time.time())}@lyceum.example"
    slug = COURSE.name
    video = next(name for name, kind in lessons() if kind == "video")

    desktop: Page = device(DESKTOP)
    desktop.goto("/accounts/signup/")
    desktop.locator("input[name=email]").fill(email)
    for field in desktop.locator("main form input[type=password]").all():
        field.fill(PASSWORD)
    if (shown := desktop.locator("input[name=display_name]")).count():
        shown.fill("Ada Learner")
    desktop.locator("main form button[type=submit]").first.click()
    desktop.wait_for_url("**/my-courses/")

    desktop.goto("/?q=web+page")
    title = yaml.safe_load((COURSE / "course.yaml").read_text())["title"]
    desktop.get_by_role("link", name=re.compile(re.escape(title))).first.click()
    expect(desktop).to_have_url(re.compile(f"/courses/{slug}/$"))
    desktop.get_by_role("button", name="Enrol in this course").click()
    expect(desktop.get_by_text(re.compile("0 of"))).to_be_visible()

    # Watch a part, then leave without a word.
    desktop.goto(f"/courses/{slug}/lessons/{video}/")
    address = desktop.locator("video").get_attribute("src") or ""
    assert address.startswith(rehearsed["emulator"]), "the bytes come from the bucket, not through the server"
    assert "X-Amz-Signature" in address
    play(desktop, 22)
    left_at = desktop.evaluate("document.querySelector('video').currentTime")
    desktop.goto(f"/courses/{slug}/")
    desktop.context.close()

    # A second device takes up there.
    phone: Page = device(PHONE)
    sign_in(phone, email, PASSWORD)
    phone.goto(f"/courses/{slug}/lessons/{video}/")
    until(phone, "document.querySelector('video').currentTime > 5")
    resumed = phone.evaluate("document.querySelector('video').currentTime")
    assert abs(resumed - left_at) < 8

    # Skipping to the end earns nothing …
    before = phone.locator("[data-player]").get_attribute("data-percent")
    phone.evaluate("const v = document.querySelector('video'); v.currentTime = v.duration - 1.5; v.play()")
    until(phone, "document.querySelector('video').ended")
    phone.wait_for_timeout(1500)
    phone.reload()
    after = phone.locator("[data-player]").get_attribute("data-percent")
    assert int(after or 0) - int(before or 0) <= 12
    expect(phone.locator("[data-player-watched]")).not_to_have_text("Completed")

    # … watching the rest does.
    until(phone, "document.querySelector('video').readyState >= 1")
    phone.evaluate("t => { document.querySelector('video').currentTime = t }", max(0, left_at - 6))
    play(phone, 10_000)
    phone.wait_for_timeout(1500)
    for name, kind in lessons():
        if kind != "video":
            phone.goto(f"/courses/{slug}/lessons/{name}/")
            phone.get_by_role("button", name=re.compile("Mark as complete")).click()
    phone.goto(f"/courses/{slug}/lessons/{video}/")
    expect(phone.locator("[data-player-watched]")).to_have_text("Completed")
    done = 1 + sum(kind != "video" for _, kind in lessons())
    phone.goto(f"/courses/{slug}/")
    expect(phone.get_by_text(re.compile(rf"{done} of {len(lessons())}"))).to_be_visible()

    # What was kept lies in the table that Terraform made.
    table = next(iter(_client(rehearsed, "dynamodb").list_tables()["TableNames"]))
    items = _client(rehearsed, "dynamodb").scan(TableName=table)["Items"]
    assert len(items) >= done


def test_reports_that_cannot_be_sent_are_kept_and_sent_later(device: Any, rehearsed: dict[str, Any]) -> None:
    student = next(account for account in rehearsed["accounts"] if account["role"] == "student")
    page: Page = device(DESKTOP)
    sign_in(page, student["email"], student["password"])
    page.goto(f"/courses/{COURSE.name}/")
    if (enrol := page.get_by_role("button", name="Enrol in this course")).count():
        enrol.click()
    video = next(name for name, kind in lessons() if kind == "video")
    page.goto(f"/courses/{COURSE.name}/lessons/{video}/")
    page.route("**/api/v1/progress/**", lambda route: route.abort())
    play(page, 16)
    page.wait_for_timeout(1000)
    expect(page.locator("[data-player-status]")).to_contain_text(re.compile("kept on this device", re.I))
    page.unroute("**/api/v1/progress/**")
    page.reload()
    page.wait_for_timeout(2500)
    page.reload()
    assert int(page.locator("[data-player]").get_attribute("data-percent") or 0) > 5


def test_a_file_is_shared_and_saved_and_a_large_one_is_refused_in_words(
    device: Any, rehearsed: dict[str, Any], tmp_path: Path
) -> None:
    student = next(account for account in rehearsed["accounts"] if account["role"] == "student")
    page: Page = device(PHONE)
    sign_in(page, student["email"], student["password"])
    page.goto(f"/courses/{COURSE.name}/")
    if (enrol := page.get_by_role("button", name="Enrol in this course")).count():
        enrol.click()
    page.get_by_role("link", name="Shared files").click()
    notes, large = tmp_path / f"notes {'of-a-long-name-' * 6}{time.time()}.txt", tmp_path / "large.bin"
    notes.write_text("what I understood")
    large.write_bytes(b"x" * 25_000_000)
    page.get_by_label("A file to share").set_input_files(notes)
    page.get_by_role("button", name="Share this file").click()
    expect(page.get_by_text("is shared with everyone")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with page.expect_download() as download:
        page.get_by_role("link", name=notes.name).click()
    assert (download.value.suggested_filename, download.value.path().read_text()) == (notes.name, notes.read_text())
    page.get_by_label("A file to share").set_input_files(large)
    page.get_by_role("button", name="Share this file").click()
    expect(page.get_by_text("larger than the 20 MB")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_fit_their_width(device: Any, viewport: dict[str, int]) -> None:
    page: Page = device(viewport)
    for path in ("/", f"/courses/{COURSE.name}/", "/accounts/login/", "/accounts/signup/", "/no-such-page/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_every_role_signs_in_and_status_names_what_terraform_made(device: Any, rehearsed: dict[str, Any]) -> None:
    for account in rehearsed["accounts"]:
        sign_in(device(PHONE), account["email"], account["password"])
    made = rehearsed["resources"]
    assert made["ec2"]["vpc"] == 1
    assert made["ec2"]["subnet"] == 8
    assert made["ec2"]["network ACL"] == 4
    assert made["s3"]["bucket"] >= 2
    assert made["dynamodb"]["table"] == 1
    assert made["rds"]["database"] == 1
    assert rehearsed["platform_pss_mib"] < 220


def test_the_state_lies_in_the_bucket_that_bootstrap_made(rehearsed: dict[str, Any]) -> None:
    s3 = _client(rehearsed, "s3")
    bucket = next(b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("lyceum-state-"))
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert {"bootstrap.tfstate", "platform-dev.tfstate"} <= keys
    assert not any(key.endswith(".tflock") for key in keys), "a lock was left behind"
    for key in keys:
        assert b"BEGIN" not in s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _client(rehearsed: dict[str, Any], service: str) -> Any:
    # The service's name is a variable, which the typed stubs cannot follow.
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=rehearsed["emulator"],
        region_name=rehearsed["region"],
        aws_access_key_id="AKIAREHEARSAL0000000",
        aws_secret_access_key="rehearsal",
    )
