#!/usr/bin/env python3
"""Films the sample course: HTML pages drawn second by second in Chromium, encoded by ffmpeg.

Films, captions, posters, cover and worksheet come from the pages beside this file and from nothing else, so the same
sources give the same pictures. The captions are written in the film's script, next to what they speak of; this program
refuses those that nobody could read in time.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

STUDIO = Path(__file__).resolve().parent
COURSE = STUDIO.parent / "courses" / "how-the-cloud-works"
FRAMES_PER_SECOND = 12
SIZE: ViewportSize = {"width": 1280, "height": 720}
FILMS = {"journey": 3.0, "balancer": 29.0, "backup": 43.0}  # each with the second that makes its poster
LINE_CHARS, LINES = 46, 2
FASTEST = 20  # characters a second, spaces included; the BBC's subtitle guide aims at about 15-17 and bears 20

_FONTS = "Promise.all(['Serif', 'Sans', 'Mono'].map((f) => document.fonts.load(`600 40px 'Lyceum ${f}'`)))"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="journey, balancer, backup, cover, worksheet (all)")
    parser.add_argument("--still", type=float, action="append", metavar="SECOND", help="only a picture of this second")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for stills")
    arguments = parser.parse_args()
    names = arguments.names or [*FILMS, "cover", "worksheet"]
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--hide-scrollbars"])
        for name in names:
            page = browser.new_page(viewport=SIZE)
            page.goto((STUDIO / f"{name}.html").as_uri())
            page.evaluate(_FONTS)
            if arguments.still:
                for second in arguments.still:
                    page.evaluate("t => window.seek(t)", second)
                    page.screenshot(path=arguments.out / f"{name}-{second:05.1f}.png")
            elif name == "cover":
                page.screenshot(path=COURSE / "media" / "cover.jpg", type="jpeg", quality=86)
            elif name == "worksheet":
                _print(page, COURSE / "media" / "worksheet.pdf")
            else:
                _film(page, name)
            page.close()
            print(f"{name}: done", flush=True)
        browser.close()
    return 0


def _film(page: Page, name: str) -> None:
    film: dict[str, Any] = page.evaluate("window.film")
    seconds = int(film["seconds"])
    captions = _captions(film["cues"], seconds)
    video = COURSE / "media" / f"{name}.mp4"
    encode = [
        *("ffmpeg", "-y", "-loglevel", "error", "-f", "image2pipe", "-framerate", str(FRAMES_PER_SECOND), "-i", "-"),
        *("-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-preset", "slow", "-crf", "24"),
        *("-g", str(FRAMES_PER_SECOND * 5), "-threads", "1", "-movflags", "+faststart", "-fflags", "+bitexact"),
        *("-map_metadata", "-1", str(video)),
    ]
    with subprocess.Popen(encode, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin
        for frame in range(seconds * FRAMES_PER_SECOND):
            page.evaluate("t => window.seek(t)", frame / FRAMES_PER_SECOND)
            encoder.stdin.write(page.screenshot(type="jpeg", quality=95))
        encoder.stdin.close()
        if encoder.wait():
            sys.exit(f"ffmpeg could not encode {name}")
    (COURSE / "captions" / f"{name}.en.vtt").write_text(captions, encoding="utf-8")
    page.evaluate("t => window.seek(t)", FILMS[name])
    page.screenshot(path=COURSE / "media" / f"{name}.jpg", type="jpeg", quality=82)


def _captions(cues: list[tuple[float, str]], seconds: int) -> str:
    """WebVTT; each cue lasts until the next. Exits with every cue that is too long or too short to be read."""
    blocks, bad = ["WEBVTT"], []
    for (start, text), (following, _) in zip(cues, [*cues[1:], (seconds - 0.2, "")], strict=True):
        end = following - 0.1
        lines = textwrap.wrap(text, LINE_CHARS)
        if len(lines) == LINES:  # two lines of about the same length read best
            lines = min(
                (textwrap.wrap(text, width) for width in range(20, LINE_CHARS + 1)),
                key=lambda wrapped: (len(wrapped) != LINES, len(wrapped[0])),
            )
        if len(lines) > LINES or len(text) / (end - start) > FASTEST:
            bad.append(f"{start}: {len(lines)} lines, {len(text) / (end - start):.0f} characters a second: {text}")
        blocks.append(f"{_stamp(start)} --> {_stamp(end)}\n" + "\n".join(lines))
    if bad:
        sys.exit("Captions that cannot be read in time:\n" + "\n".join(bad))
    return "\n\n".join(blocks) + "\n"


def _stamp(seconds: float) -> str:
    minutes, millis = divmod(round(seconds * 1000), 60_000)
    return f"{minutes:02d}:{millis // 1000:02d}.{millis % 1000:03d}"


def _print(page: Page, target: Path) -> None:
    data = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
    # The date of printing would make each printing another file.
    target.write_bytes(re.sub(rb"D:\d{14}", b"D:20260101000000", data))


if __name__ == "__main__":
    sys.exit(main())
