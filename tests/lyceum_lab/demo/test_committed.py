"""The committed film is the storyboard's: length, size, picture, chapters, captions, contact sheet."""

from __future__ import annotations

import shutil
import struct

import pytest

from lyceum_lab import paths
from lyceum_lab.demo import film, storyboard

DEMO = paths.CHECKOUT / "docs" / "demo"


def test_the_captions_beside_the_film_are_those_of_the_storyboard() -> None:
    assert (DEMO / "demo.vtt").read_text() == storyboard.webvtt(storyboard.read().captions())


def test_the_contact_sheet_has_a_picture_every_five_seconds() -> None:
    width, height = struct.unpack(">II", (DEMO / "contact-sheet.png").read_bytes()[16:24])
    columns, rows = width // film.SHEET_WIDTH, height // (film.SHEET_WIDTH * 9 // 16)
    seconds = storyboard.read().seconds
    assert columns == film.SHEET_COLUMNS
    assert (rows - 1) * columns * film.SHEET_SECONDS < seconds <= rows * columns * film.SHEET_SECONDS


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffmpeg")
def test_the_film_is_what_was_asked_for() -> None:
    board, found = storyboard.read(), film.probe(DEMO / "demo.mp4")
    assert found["seconds"] == pytest.approx(board.seconds, abs=0.2)
    assert found["bytes"] <= 20 * 2**20
    assert (found["width"], found["height"]) == (1920, 1080)
    assert (found["codec"], found["pixels"]) == ("h264", "yuv420p")
    chapters = board.chapters()
    assert [title for *_, title in found["chapters"]] == [title for *_, title in chapters]
    for (begin, end, _), (from_, to, _) in zip(found["chapters"], chapters, strict=True):
        assert (begin, end) == pytest.approx((from_, to), abs=0.01)
