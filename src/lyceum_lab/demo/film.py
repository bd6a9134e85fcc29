"""The film as a file: H.264 with chapters, the captions beside it as WebVTT, and a sheet with a picture every 5 s."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from lyceum_lab.demo import stage
from lyceum_lab.demo.storyboard import Storyboard, webvtt
from lyceum_ops.errors import CommandFailed

VERSION = 1  # of how parts are drawn and encoded: another one makes all of them anew
SHEET_SECONDS, SHEET_COLUMNS, SHEET_WIDTH = 5, 8, 384


def encode(target: Path, frames: list[stage.Frame], *, draft: bool) -> None:
    """Make a scene's part of the film: exactly as many frames as its pictures stand for."""
    listed = frames[0].file.parent / "frames.txt"
    lines = [f"file '{one.file.name}'\nduration {one.frames / stage.RATE:.6f}" for one in frames]
    listed.write_text("\n".join([*lines, f"file '{frames[-1].file.name}'"]) + "\n")
    half = target.with_suffix(".part.mp4")
    _ffmpeg(
        "-f", "concat", "-safe", "0", "-i", str(listed),
        "-vf", f"scale=in_range=full:out_range=tv:out_color_matrix=bt709,format=yuv420p,fps={stage.RATE}",
        "-frames:v", str(sum(one.frames for one in frames)), "-c:v", "libx264",
        "-preset", "ultrafast" if draft else "fast", "-tune", "stillimage", "-crf", "30" if draft else "22",
        "-threads", "2", "-g", str(stage.RATE * 5), "-colorspace", "bt709", "-color_primaries", "bt709",
        "-color_trc", "bt709", "-video_track_timescale", str(stage.RATE * 1000), str(half),
    )  # fmt: skip
    half.replace(target)


def write(target: Path, board: Storyboard, parts: list[Path]) -> list[Path]:
    """Join the parts to `target`, with chapters; captions and contact sheet go beside it. Returns what was made."""
    work = parts[0].parent
    listed, marks = work / "parts.txt", work / "chapters.txt"
    listed.write_text("".join(f"file '{one.name}'\n" for one in parts))
    marks.write_text(chapters(board), encoding="utf-8")
    _ffmpeg(
        "-f", "concat", "-safe", "0", "-i", str(listed), "-f", "ffmetadata", "-i", str(marks), "-map", "0:v",
        "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", "-movflags", "+faststart", str(target),
    )  # fmt: skip
    captions = target.with_suffix(".vtt")
    captions.write_text(webvtt(board.captions()), encoding="utf-8")
    sheet = target.with_name("contact-sheet.png")
    rows = -(-int(board.seconds // SHEET_SECONDS + 1) // SHEET_COLUMNS)
    _ffmpeg(
        "-i", str(target), "-frames:v", "1", "-vf",
        f"fps=1/{SHEET_SECONDS}:start_time=0:round=down,scale={SHEET_WIDTH}:-2:flags=area,"
        f"tile={SHEET_COLUMNS}x{rows}:padding=6:color=0x10161d", "-update", "1", str(sheet),
    )  # fmt: skip
    return [target, captions, sheet]


def chapters(board: Storyboard) -> str:
    """The chapters in the words of ffmpeg."""
    found = [";FFMETADATA1", "title=Lyceum: the demonstration"]
    for begin, end, title in board.chapters():
        escaped = "".join(f"\\{one}" if one in "=;#\\\n" else one for one in title)
        found.append(
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(begin * 1000)}\nEND={round(end * 1000)}\ntitle={escaped}"
        )
    return "\n".join(found) + "\n"


def probe(file: Path) -> dict[str, Any]:
    """What ffprobe says of a film: seconds, bytes, width, height, codec, pixels, chapters."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_chapters", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CommandFailed(f"ffprobe cannot read {file.name}: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    video = next(one for one in found["streams"] if one["codec_type"] == "video")
    return {
        "seconds": float(found["format"]["duration"]),
        "bytes": int(found["format"]["size"]),
        "width": video["width"],
        "height": video["height"],
        "codec": video["codec_name"],
        "pixels": video["pix_fmt"],
        "chapters": [
            (float(one["start_time"]), float(one["end_time"]), one["tags"]["title"]) for one in found["chapters"]
        ],
    }


def _ffmpeg(*arguments: str) -> None:
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-y", "-v", "error", *arguments],
        capture_output=True, text=True, check=False, preexec_fn=lambda: os.nice(10),
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise CommandFailed(f"ffmpeg could not make the film: {last}")
