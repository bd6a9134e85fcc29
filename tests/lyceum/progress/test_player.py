"""player.js in a real Chromium on the real site: what is watched, kept, lost, resumed.

Chromium plays a film of 24 seconds that FFmpeg draws, muted, at twice the speed.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.dispatch import Signal
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.lyceum.progress.conftest import Classroom

from lyceum.content import get_store as get_content_store
from lyceum.courses.models import Lesson
from lyceum.progress.domain import LessonKey, LessonRecord
from lyceum.progress.stores.sql import SqlStore

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
SECONDS = 24

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (CHROMIUM and shutil.which("ffmpeg")), reason="needs chromium and ffmpeg"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    source = f"testsrc2=duration={SECONDS}:size=320x180:rate=10"
    # Noise makes it too large to be fetched in one go, as a real film is.
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-vf", "noise=alls=40:allf=t"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-g", "10", "-pix_fmt", "yuv420p"),
            *("-movflags", "+faststart", str(path)),
        ],
        check=True,
    )
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; nothing of Django runs inside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"],
        )
        yield chromium
        chromium.close()


class Device:
    """A browser in which the learner is signed in."""

    def __init__(self, context: BrowserContext, site: str, lesson: Lesson) -> None:
        self.context = context
        self.site = site
        self.address = site + lesson.get_absolute_url()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"an error in the page: {error}"))
        page.goto(self.address)
        until_true(page, "document.querySelector('video').readyState >= 1")
        return page

    def sign_in(self, client: Client) -> None:
        value = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": value, "url": self.site}])

    def sign_out(self) -> None:
        self.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)


@pytest.fixture
def devices(
    transactional_db: None,
    live_server: Any,
    classroom: Classroom,
    film: Path,
    browser: Browser,
    settings: Any,
    tmp_path: Path,
) -> Iterator[Callable[[], Device]]:
    settings.CONTENT_URL = (tmp_path / "content").as_uri()
    get_content_store().put(classroom.video.media_key, film, content_type="video/mp4")
    captions = tmp_path / "captions.vtt"
    captions.write_text("WEBVTT\n\n00:00.000 --> 00:20.000\nColours.\n")
    get_content_store().put("looms/film.en.vtt", captions, content_type="text/vtt")
    classroom.video.duration_seconds = SECONDS
    classroom.video.save()
    opened: list[BrowserContext] = []

    def another() -> Device:
        context = browser.new_context()
        context.set_default_timeout(40_000)
        opened.append(context)
        device = Device(context, live_server.url, classroom.video)
        device.sign_in(classroom.client())
        return device

    # A request that outlives its page would find the next test's database half emptied.
    under_way: list[int] = []
    with (
        _connected(request_started, lambda **_: under_way.append(1)),
        _connected(request_finished, lambda **_: under_way.pop()),
    ):
        yield another
        for context in opened:
            context.close()
        deadline = time.monotonic() + 20
        while under_way:
            assert time.monotonic() < deadline, "a request never ended"
            time.sleep(0.05)


@contextmanager
def _connected(signal: Signal, receiver: Callable[..., object]) -> Iterator[None]:
    signal.connect(receiver, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def until_true(page: Page, expression: str) -> None:
    """Asks by itself: the page's own polling would need `eval`, which the site's policy forbids."""
    deadline = time.monotonic() + 40
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(25)


def play(page: Page, *, start: float | None = None, until: float, rate: float = 2) -> None:
    """Plays from `start` (or from where the video is) to `until` seconds, and pauses."""
    page.evaluate(
        """([start, rate]) => {
            const video = document.querySelector("video");
            video.muted = true;
            if (start !== null) video.currentTime = start;
            video.playbackRate = rate;
            return video.play();
        }""",
        [start, rate],
    )
    until_true(page, f"[document.querySelector('video')].some((v) => v.currentTime >= {until} || v.ended)")
    page.evaluate("document.querySelector('video').pause()")


def waiting(page: Page) -> list[str]:
    names = page.evaluate("Object.keys(localStorage)")
    return [name for name in names if name.startswith("lyceum.progress.")]


def kept(classroom: Classroom) -> LessonRecord:
    return SqlStore().lesson(LessonKey(classroom.learner.pk, classroom.course.pk, classroom.video.pk))


def settled(page: Page) -> None:
    """Until every report is answered."""
    until_true(page, "!Object.keys(localStorage).some((key) => key.startsWith('lyceum.progress.'))")


def status(page: Page) -> Any:
    return expect(page.locator("[data-player-status]"))


def test_only_what_was_played_counts(devices: Callable[[], Device], classroom: Classroom) -> None:
    page = devices().open()
    play(page, until=6)
    play(page, start=17, until=20)
    settled(page)
    record = kept(classroom)
    assert record.buckets == {0, 3}
    assert 20 <= (record.position_ms or 0) / 1000 < 21
    expect(page.locator("[data-player-watched]")).to_have_text("40% watched")


def test_a_learner_goes_on_and_finishes_on_another_device(devices: Callable[[], Device], classroom: Classroom) -> None:
    first = devices().open()
    play(first, until=13)
    settled(first)

    second = devices().open()
    status(second).to_have_text("Resuming at 0:13")
    expect(second.get_by_role("button", name="Start over")).to_be_visible()
    until_true(second, "document.querySelector('video').currentTime >= 13")
    play(second, until=SECONDS)
    settled(second)
    assert kept(classroom).completed_at_ms
    expect(second.locator("[data-player-watched]")).to_have_text("Completed")
    second.reload()
    status(second).to_have_text("")


def test_starting_over_goes_to_the_beginning_and_keeps_what_was_watched(
    devices: Callable[[], Device], classroom: Classroom
) -> None:
    device = devices()
    page = device.open()
    play(page, until=11)
    settled(page)
    page.reload()
    page.get_by_role("button", name="Start over").click()
    until_true(page, "document.querySelector('video').currentTime === 0")
    page.close()
    page = device.open()
    status(page).to_have_text("")
    assert kept(classroom).position_ms == 0
    assert kept(classroom).buckets == {0, 1}


def test_opening_the_page_claims_nothing(devices: Callable[[], Device], classroom: Classroom) -> None:
    device = devices()
    page = device.open()
    play(page, until=8)
    settled(page)
    before = kept(classroom)
    page.reload()
    status(page).to_have_text("Resuming at 0:08")
    page.close()
    assert kept(classroom) == before


def test_leaving_the_page_while_playing_loses_nothing(devices: Callable[[], Device], classroom: Classroom) -> None:
    device = devices()
    page = device.open()
    page.evaluate("document.querySelector('video').muted = true; document.querySelector('video').play()")
    until_true(page, "document.querySelector('video').currentTime >= 4")
    page.goto(device.site + "/")
    page = device.open()
    settled(page)
    assert kept(classroom).buckets == {0}
    assert (kept(classroom).position_ms or 0) >= 4_000


def test_what_happens_offline_is_kept_and_sent_later(devices: Callable[[], Device], classroom: Classroom) -> None:
    device = devices()
    page = device.open()
    play(page, until=1)
    settled(page)
    device.context.route("**/api/**", lambda route: route.abort("internetdisconnected"))
    play(page, until=9)
    status(page).to_contain_text("kept on this device")
    assert len(waiting(page)) == 1
    assert kept(classroom).buckets == set()

    page.reload()  # not even a new page loses it, or its place
    status(page).to_contain_text("kept on this device")
    until_true(page, "document.querySelector('video').currentTime >= 9")
    assert len(waiting(page)) == 1

    device.context.unroute("**/api/**")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    settled(page)
    assert kept(classroom).buckets == {0, 1}
    assert (kept(classroom).position_ms or 0) >= 9_000


def test_a_refused_report_is_not_sent_for_ever(devices: Callable[[], Device], classroom: Classroom) -> None:
    device = devices()
    page = device.open()
    sent: list[str] = []

    def refuse(route: Any) -> None:
        sent.append(route.request.post_data)
        route.fulfill(status=400, json={"code": "implausible", "detail": "It was not counted."})

    device.context.route("**/progress/reports", refuse)
    play(page, until=3)
    settled(page)
    assert sent
    device.context.unroute("**/progress/reports")
    play(page, start=10, until=15.2)
    settled(page)
    assert kept(classroom).buckets == {2}


def test_a_session_that_ended_loses_nothing(devices: Callable[[], Device], classroom: Classroom) -> None:
    device = devices()
    page = device.open()
    device.sign_out()
    play(page, until=6)
    status(page).to_contain_text("Sign in again")
    assert len(waiting(page)) == 1
    device.sign_in(classroom.client(classroom.stranger))  # somebody else's session is not good enough
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)
    assert len(waiting(page)) == 1
    device.sign_in(classroom.client())
    page.evaluate("window.dispatchEvent(new Event('online'))")
    settled(page)
    assert kept(classroom).buckets == {0}


def test_a_device_in_the_year_2030_wins_nothing(devices: Callable[[], Device], classroom: Classroom) -> None:
    wrong = devices()
    wrong.context.add_init_script("const now = Date.now; Date.now = () => now() + 4 * 365 * 86_400_000;")
    page = wrong.open()
    play(page, until=6)
    settled(page)
    right = devices().open()
    play(right, start=9, until=10.5)
    settled(right)
    assert 10 <= (kept(classroom).position_ms or 0) / 1000 < 12


def test_a_laptop_that_slept_dates_what_it_saw_before_its_sleep(
    devices: Callable[[], Device], classroom: Classroom
) -> None:
    laptop = devices()
    page = laptop.open()
    laptop.context.route("**/api/**", lambda route: route.abort("internetdisconnected"))
    play(page, until=4)
    phone = devices().open()
    play(phone, start=10, until=15.2)
    settled(phone)
    # It wakes: the wall clock went on, the monotonic clock did not.
    page.evaluate("const now = Date.now; Date.now = () => now() + 3_600_000; undefined")
    page.wait_for_timeout(1_500)
    laptop.context.unroute("**/api/**")
    # Whether it asks for a new anchor first or the kept report brings one is a matter of which comes first.
    page.evaluate("window.dispatchEvent(new Event('online'))")
    settled(page)
    assert kept(classroom).buckets == {0, 2}
    assert (kept(classroom).position_ms or 0) >= 15_000


def test_media_whose_address_died_is_fetched_anew_at_the_same_place(
    devices: Callable[[], Device], classroom: Classroom
) -> None:
    device = devices()
    page = device.open()
    play(page, until=8)
    settled(page)
    page.close()
    dead: list[str] = []
    renewed: list[str] = []

    def refuse_until_renewed(route: Any) -> None:
        if renewed:
            route.continue_()
        else:
            dead.append(route.request.url)
            route.fulfill(status=403, body="expired")

    device.context.route("**/content/**film.mp4**", refuse_until_renewed)
    device.context.on("response", lambda answer: renewed.append(answer.url) if answer.url.endswith("/media") else None)
    page = device.context.new_page()
    with page.expect_response("**/media"):
        page.goto(device.address)
    until_true(page, "document.querySelector('video').currentTime >= 8")
    assert dead
    play(page, until=11.5)
    settled(page)
    assert kept(classroom).buckets == {0, 1}


def test_captions_are_shown(devices: Callable[[], Device]) -> None:
    page = devices().open()
    until_true(page, "document.querySelector('video').textTracks[0].cues?.length === 1")


def test_playing_too_fast_earns_nothing_and_is_not_refused(devices: Callable[[], Device], classroom: Classroom) -> None:
    page = devices().open()
    play(page, until=12, rate=4)
    settled(page)
    assert kept(classroom).buckets == set()
    assert (kept(classroom).position_ms or 0) >= 12_000
