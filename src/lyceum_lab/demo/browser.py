"""A real browser on the rehearsal, by way of its proxy, filmed as its pictures change; the mouse moves as a hand does.

Chromium's screencast gives a picture whenever the page has changed, with its second. The mouse's way is recorded apart,
so that the film can draw a pointer that one can follow. It reaches nothing but the rehearsal's own internet, whose
certificates it takes as they are; tests/rehearsal holds them against the rehearsal's authority.
"""

from __future__ import annotations

import base64
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyceum_lab.demo.takes import Event, Take

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Locator, Page

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WIDTH, HEIGHT, SCALE = 1280, 586, 1.5  # text of 16 px is 24 px of the film
FRAME_SECONDS = 0.07
MOVE_SECONDS = 0.8


class Browser:
    """One page, and the take that is being made of it. Pictures go into `folder`."""

    def __init__(self, page: Page, session: CDPSession, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.take, self._began = Take(), time.time()
        self._session, self._pending, self._number = session, list[int](), 0
        self.left = 0.0  # where the video stood when it was watched last
        self._x, self._y = WIDTH * 0.62, HEIGHT * 0.7
        session.on("Page.screencastFrame", self._frame)
        session.send(
            "Page.startScreencast",
            {"format": "jpeg", "quality": 92, "maxWidth": int(WIDTH * SCALE), "maxHeight": int(HEIGHT * SCALE)},
        )

    def _frame(self, frame: dict[str, Any]) -> None:
        self._pending.append(frame["sessionId"])
        self._keep(base64.b64decode(frame["data"]), frame["metadata"]["timestamp"] - self._began)

    def _keep(self, picture: bytes, at: float) -> None:
        self._number += 1
        name = f"{self._number:05d}.jpg"
        (self.folder / name).write_bytes(picture)
        self._event(max(0.0, at), "image", name)

    def _event(self, at: float, kind: str, value: Any) -> None:
        self.take.events.append(Event(round(at, 3), kind, value))

    @property
    def now(self) -> float:
        return time.time() - self._began

    def begin(self) -> None:
        """A new take, from where the last one ended."""
        self.take, self._began = Take(), time.time()
        self._event(0.0, "move", [round(self._x, 1), round(self._y, 1)])
        self._event(0.0, "address", self.page.url)

    def end(self) -> Take:
        """The take as it is now; its last picture is of this moment."""
        self.pump(0.3)
        shot = self._session.send("Page.captureScreenshot", {"format": "jpeg", "quality": 95})
        self._keep(base64.b64decode(shot["data"]), self.now)
        self._event(self.now, "address", self.page.url)
        self.take.events.sort(key=lambda event: event.at)
        self.take.seconds = round(self.now, 3)
        return self.take

    def pump(self, seconds: float, breath: float = FRAME_SECONDS) -> None:
        """Let the page go on for `seconds`, filmed."""
        deadline = time.monotonic() + seconds
        while True:
            self.page.wait_for_timeout(breath * 1000)
            while self._pending:
                self._session.send("Page.screencastFrameAck", {"sessionId": self._pending.pop()})
            if time.monotonic() >= deadline:
                return

    def move(self, target: Locator) -> None:
        """Bring the mouse to the middle of something, calmly; it scrolls into view first."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        if box is None:
            raise LookupError("it is not to be seen")
        x, y = box["x"] + min(box["width"] / 2, 240), box["y"] + box["height"] / 2
        from_x, from_y, began = self._x, self._y, time.monotonic()
        while True:
            part = min(1.0, (time.monotonic() - began) / MOVE_SECONDS)
            eased = part * part * (3 - 2 * part)
            self._x, self._y = from_x + (x - from_x) * eased, from_y + (y - from_y) * eased
            self.page.mouse.move(self._x, self._y)
            self._event(self.now, "move", [round(self._x, 1), round(self._y, 1)])
            if part == 1.0:
                break
            self.pump(0.0)
        self.pump(0.25)

    def click(self, target: Locator) -> None:
        """Go there and click."""
        self.move(target)
        self._event(self.now, "click", [round(self._x, 1), round(self._y, 1)])
        self.page.mouse.click(self._x, self._y)

    def fill(self, target: Locator, text: str) -> None:
        """Click into a field and type."""
        self.click(target)
        for key in text:
            self.page.keyboard.type(key)
            self.pump(0.0, 0.03)

    def says(self, pattern: str) -> bool:
        """Whether the page's text has it now."""
        return bool(re.search(pattern, self.page.locator("body").inner_text()))

    def until_says(self, pattern: str, seconds: float) -> bool:
        """Film until the page's text has it. False if it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.says(pattern):
            if time.monotonic() > deadline:
                return False
            self.pump(0.1)
        return True

    def video_second(self) -> float:
        """Where the page's video stands."""
        return float(self.page.evaluate("document.querySelector('video').currentTime"))

    def until_video(self, second: float, seconds: float) -> bool:
        """Film until the video stands at `second` or later. False if it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.video_second() < second:
            if time.monotonic() > deadline:
                return False
            self.pump(0.1)
        return True


@contextmanager
def opened(folder: Path, *, proxy: str) -> Iterator[Browser]:
    """A browser of its own for one scene, without cookies."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM,
            # Root in a container has no sandbox; nothing but the rehearsal is opened.
            args=[
                "--no-sandbox", "--hide-scrollbars", "--disable-background-networking",
                f"--force-device-scale-factor={SCALE}",
                f"--proxy-server={proxy}", "--proxy-bypass-list=<-loopback>",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )  # fmt: skip
        try:
            context = chromium.new_context(
                viewport={"width": WIDTH, "height": HEIGHT},
                device_scale_factor=SCALE,
                color_scheme="light",
                ignore_https_errors=True,
            )
            page = context.new_page()
            yield Browser(page, context.new_cdp_session(page), folder)
        finally:
            chromium.close()
