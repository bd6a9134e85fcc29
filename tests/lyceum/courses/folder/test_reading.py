"""Everything that can be wrong with a course folder is found, all at once, in its file and line."""

import os
from pathlib import Path

import pytest
from django.db.models import CharField

from lyceum.courses.folder.faults import FaultyFolderError
from lyceum.courses.folder.reading import read_folder
from lyceum.courses.models import LONGEST_MARKDOWN, Course, Lesson, Section

from .conftest import CAPTIONS, PNG, TEXT, Replace, box, mp4

# ruff: noqa: E501 (one fault a line, with what it must say, reads best as a table)


def faults(course: Path) -> list[str]:
    with pytest.raises(FaultyFolderError) as caught:
        read_folder(course)
    return [str(fault) for fault in caught.value.faults]


def test_a_sound_folder_is_read_whole(course: Path) -> None:
    folder = read_folder(course)
    assert (folder.slug, folder.title, folder.level, folder.language) == ("tides", "Tides", "beginner", "en")
    assert folder.published
    assert folder.instructors is None
    assert folder.description_md == "All about *tides*."
    assert [lesson.slug for lesson in folder.lessons] == ["ebb-and-flow", "pull", "table"]
    text, video, document = folder.lessons
    assert (text.kind, text.body_md) == ("text", "Twice a day the sea **rises**.")
    assert video.duration_seconds == 91
    assert [(caption.language, caption.label) for caption in video.captions] == [("en", "English")]
    assert document.media
    assert document.media.content_type == "application/pdf"
    assert folder.warnings == ()
    assert all(key.startswith("courses/tides/") for key in folder.media)
    assert len(folder.media) == 4


def test_the_digest_follows_the_content_and_not_the_place(course: Path, replace: Replace) -> None:
    before = read_folder(course).digest
    moved = course.rename(course.parent / "elsewhere")
    assert read_folder(moved).digest == before
    moved.rename(course)
    replace("course.yaml", "title: Tides\n", "\n# a remark\ntitle: 'Tides'\n")
    assert read_folder(course).digest == before
    (course / "media/cover.png").write_bytes(PNG + b"x")
    after = read_folder(course).digest
    assert after != before
    replace("lessons/01.md", "Twice a day the", "Each day the")
    assert read_folder(course).digest != after


def test_limits_fit_the_columns() -> None:
    from lyceum.courses.folder import reading

    def longest(model: type[Course] | type[Section] | type[Lesson], name: str) -> int | None:
        field = model._meta.get_field(name)
        assert isinstance(field, CharField)
        return field.max_length

    for model in (Course, Section, Lesson):
        assert longest(model, "title") == reading.TITLE_CHARS
        assert longest(model, "slug") == reading.SLUG_CHARS
    assert longest(Course, "summary") == longest(Lesson, "summary") == reading.SUMMARY_CHARS
    assert longest(Course, "topic") == reading.TOPIC_CHARS
    assert longest(Course, "language") == reading.LANGUAGE_CHARS
    assert set(reading.LEVELS) == set(Course.Level.values)
    assert LONGEST_MARKDOWN == reading.MAX_MARKDOWN
    assert set(reading.KINDS) == set(Lesson.Kind.values)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("course.yaml", "title: Tides", "tittle: Tides", "course.yaml:2: unknown key 'tittle'; did you mean 'title'?"),
        ("course.yaml", "title: Tides", "zzz: Tides", "course.yaml:2: unknown key 'zzz'; known are slug, title, "),
        ("course.yaml", "topic: Nature", "title: Two", "course.yaml:4: key 'title' is given twice, first in line 2"),
        ("course.yaml", "topic: Nature", "topic:", "course.yaml:4: key 'topic' has no value"),
        ("course.yaml", "title: Tides", "title: 2026", 'course.yaml:2: title: must be text, not a whole number'),
        ("course.yaml", "title: Tides", "title: [a]", "course.yaml:2: title: must be text, not a list"),
        ("course.yaml", "topic: Nature", "language: no", "course.yaml:4: language: must be text, not true or false"),
        ("course.yaml", "title: Tides", "title: " + "x" * 121, "course.yaml:2: title: must be at most 120 characters"),
        ("course.yaml", "title: Tides", 'title: "a\\0b"', "course.yaml:2: title: must not contain control characters"),
        ("course.yaml", "title: Tides", 'title: "\\UFFFFFFFF"', "course.yaml:1: bad YAML: "),
        ("course.yaml", "slug: tides", "slug: Tides!", "course.yaml:1: slug: 'Tides!' must be small letters"),
        ("course.yaml", "level: beginner", "level: easy", "course.yaml:5: level: 'easy' must be one of beginner,"),
        ("course.yaml", "published: true", "published: 1", "course.yaml:7: published: must be true or false, not a whole"),
        ("course.yaml", "published: true", "published: !!bool 7", "course.yaml:7: published: must be true or false"),
        ("course.yaml", "title: Tides", "title: !!python/name:os.system x", "course.yaml:2: title: must be text, not the tag"),
        ("course.yaml", "title: Tides", "title: 'Tides", "course.yaml:2: bad YAML: "),
        ("course.yaml", "title: Tides", "\ttitle: Tides", "course.yaml:2: bad YAML: "),
        ("course.yaml", "topic: Nature", "instructors: [nobody]", "course.yaml:4: instructors[1]: 'nobody' is not an e-mail"),
        ("course.yaml", "slug: sun", "slug: moon", "course.yaml:14: section slug 'moon' is taken by course.yaml:9"),
        ("course.yaml", "[lessons/03.md]", "[]", "course.yaml:16: lessons: a section needs at least one lesson"),
        ("course.yaml", "lessons/02.md", "lessons/01.md", "course.yaml:13: lessons[2]: lessons/01.md is already a lesson in"),
        ("course.yaml", "lessons/02.md", "lessons/9.md", "course.yaml:13: lessons[2]: lessons/9.md: there is no such file"),
        ("course.yaml", "lessons/02.md", "captions/pull.en.vtt", "course.yaml:13: lessons[2]: captions/pull.en.vtt: a lesson"),
        ("course.yaml", "lessons/02.md", "../02.md", "course.yaml:13: lessons[2]: ../02.md: a path is relative"),
        ("course.yaml", "cover.png", "cover.gif", "course.yaml:6: cover: media/cover.gif: there is no such file"),
        ("course.yaml", "media/cover.png", "/etc/passwd", "course.yaml:6: cover: /etc/passwd: a path is relative"),
        ("course.yaml", "media/cover.png", "media", "course.yaml:6: cover: media: is not a file"),
        ("course.yaml", "media/cover.png", "media/table.pdf", "course.yaml:6: cover: media/table.pdf: must be one of .png"),
        ("lessons/01.md", "slug: ebb-and-flow", "slug: pull", "lessons/02.md:3: lesson slug 'pull' is taken by lessons/01.md:3"),
        ("lessons/01.md", "summary: Twice", "sumary: Twice", "lessons/01.md:4: unknown key 'sumary'; did you mean 'summary'?"),
        ("lessons/01.md", "slug: ebb-and-flow\n", "", "lessons/01.md:2: missing: slug"),
        ("lessons/01.md", "summary: Twice a day.", "kind: quiz", "lessons/01.md:4: kind: 'quiz' must be one of text, video,"),
        ("lessons/01.md", "summary: Twice a day.", "video: media/pull.mp4", "lessons/01.md:4: video: belongs to a lesson of"),
        ("lessons/01.md", "Twice a day the sea **rises**.", "", "lessons/01.md: a lesson of kind text has no text"),
        ("lessons/01.md", "---\ntitle", "title", "lessons/01.md:1: must begin with front matter"),
        ("lessons/01.md", "---\n\nTwice", "\n\nTwice", "lessons/01.md:1: front matter has no end"),
        ("lessons/02.md", "video: media/pull.mp4\n", "", "lessons/02.md:2: a lesson of kind video needs the key 'video'"),
        ("lessons/02.md", "pull.mp4", "gone.mp4", "lessons/02.md:5: video: media/gone.mp4: there is no such file"),
        ("lessons/02.md", "kind: video", "kind: video\nduration: 70", "lessons/02.md:5: duration: says 70 seconds, and the file"),
        ("lessons/02.md", "kind: video", "kind: video\nduration: long", "lessons/02.md:5: duration: must be a number, not text"),
        ("lessons/02.md", "kind: video", "kind: video\nduration: .nan", "lessons/02.md:5: duration: must be a plain decimal"),
        ("lessons/02.md", "    label: English\n", "", "lessons/02.md:8: captions[1]: missing: label"),
        ("lessons/02.md", "language: en", "language: English", "lessons/02.md:9: language: 'English' must be a language tag"),
        ("captions/pull.en.vtt", "WEBVTT", "WEBVT", "captions/pull.en.vtt:1: captions must begin with the line WEBVTT"),
        ("captions/pull.en.vtt", "00:02.000\n", "0:2\n", "captions/pull.en.vtt:4: times must read"),
        ("captions/pull.en.vtt", "--> 00:02.000", "--> 00:00.000", "captions/pull.en.vtt:4: the cue ends before it starts"),
        ("captions/pull.en.vtt", "00:00.000 -->", "00:00,000 -->", "captions/pull.en.vtt:4: times must read"),
        ("captions/pull.en.vtt", "The sea follows.", "", "captions/pull.en.vtt:7: the cue has no text"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(
    course: Path, replace: Replace, name: str, old: str, new: str, expected: str
) -> None:
    replace(name, old, new)
    assert any(fault.startswith(expected) for fault in faults(course)), faults(course)


def test_everything_wrong_is_listed_at_once(course: Path, replace: Replace) -> None:
    replace("course.yaml", "level: beginner", "level: easy")
    replace("lessons/02.md", "pull.mp4", "gone.mp4")
    (course / "lessons/01.md").write_bytes(b"---\ntitle: Caf\xe9\n---\n")
    found = faults(course)
    assert [fault.split(": ")[0] for fault in found] == ["course.yaml:5", "lessons/01.md:2", "lessons/02.md:5"]
    assert found[1].endswith("is not UTF-8: byte 0xe9; save the file as UTF-8")


def test_markdown_of_300_mb_is_not_read(course: Path) -> None:
    with (course / "lessons/01.md").open("r+b") as file:
        file.truncate(300 * 1024 * 1024)  # sparse: reading it would take as many bytes of memory
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert faults(course) == ["lessons/01.md: is 300 MiB, and may be 32 KiB at most"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_an_alias_bomb_is_refused_before_it_unfolds(course: Path) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join(['*' + old] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    (course / "course.yaml").write_text("\n".join(lines))
    assert faults(course) == ["course.yaml:1: anchors (&) and aliases (*) are not allowed; quote such text"]


def test_endless_nesting_is_refused(course: Path) -> None:
    (course / "course.yaml").write_text("slug: " + "[" * 100_000)
    assert faults(course) == ["course.yaml:1: nested more than 12 levels deep"]


@pytest.mark.parametrize("name", ["media/cover.png", "lessons/01.md", "course.yaml", "description.md"])
def test_a_link_that_climbs_out_is_refused(course: Path, name: str) -> None:
    outside = course.parent / "outside"
    (course / name).rename(outside)
    (course / name).symlink_to(outside)
    assert any("leads out of the course folder" in fault for fault in faults(course))


def test_a_link_inside_the_folder_is_followed(course: Path) -> None:
    (course / "media/cover.png").rename(course / "media/real.png")
    (course / "media/cover.png").symlink_to("real.png")
    assert read_folder(course).cover


def test_links_in_a_circle_and_pipes_are_not_files(course: Path) -> None:
    (course / "media/cover.png").unlink()
    (course / "media/cover.png").symlink_to("cover.png")
    (course / "lessons/01.md").unlink()
    os.mkfifo(course / "lessons/01.md")
    assert faults(course) == [
        "course.yaml:6: cover: media/cover.png: there is no such file",
        "course.yaml:12: lessons[1]: lessons/01.md: is not a file",
        "lessons/02.md:6: poster: media/cover.png: there is no such file",
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "media/cover.png",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "is not a PNG picture, whatever its name says",
        ),
        ("media/pull.mp4", b"\0\0\0\x18moov", "is not a MP4 video, whatever its name says"),
        ("media/pull.mp4", mp4(90)[:300], "the video is cut off or damaged at byte"),
        ("media/pull.mp4", box(b"ftyp", b"isom") + box(b"mdat", b"x"), "the video has no index (moov)"),
        ("media/pull.mp4", box(b"ftyp", b"isom") + box(b"moov", box(b"free", b"")), "header (mvhd) is missing"),
        ("media/pull.mp4", mp4(0), "does not tell its length; add the key 'duration'"),
        ("media/pull.mp4", mp4(6 * 3600 + 1), "at most 6 hours"),
        ("media/table.pdf", b"<html><script>alert(1)</script>", "is not a PDF document, whatever its name says"),
    ],
)
def test_media_must_be_what_they_say(course: Path, name: str, content: bytes, expected: str) -> None:
    (course / name).write_bytes(content)
    assert any(expected in fault for fault in faults(course)), faults(course)


def test_a_video_over_2_gib_is_refused_unread(course: Path) -> None:
    with (course / "media/pull.mp4").open("r+b") as file:
        file.truncate(2 * 1024**3 + 1)
    assert any("a MP4 video may be 2 GiB at most" in fault for fault in faults(course))


@pytest.mark.parametrize(
    "content",
    [mp4(61.0), mp4(61.0, version=1, scale=90_000), mp4(60.4, scale=12_800)],
    ids=["32 bit", "64 bit", "part"],
)
def test_the_length_is_read_from_the_file(course: Path, content: bytes) -> None:
    (course / "media/pull.mp4").write_bytes(content)
    assert read_folder(course).lessons[1].duration_seconds == 61


def test_a_webm_needs_its_length(course: Path, replace: Replace) -> None:
    (course / "media/pull.webm").write_bytes(b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(60))
    replace("lessons/02.md", "pull.mp4", "pull.webm")
    assert any("pull.webm does not tell its length" in fault for fault in faults(course))
    replace("lessons/02.md", "kind: video", "kind: video\nduration: 42.5")
    assert read_folder(course).lessons[1].duration_seconds == 43


def test_what_is_odd_but_not_wrong_is_a_warning(course: Path, replace: Replace) -> None:
    (course / "lessons/99.md").write_text(TEXT)
    (course / "README.md").write_text("for authors")
    (course / "media/pull.mp4").write_bytes(mp4(90, index_first=False))
    (course / "captions/pull.en.vtt").write_text(CAPTIONS.replace("00:02.000 --> 01", "00:01:31.000 --> 01"))
    replace("lessons/01.md", "rises**.", "rises**.\n\n![a wave](wave.png)")
    assert [str(warning).split(";")[0] for warning in read_folder(course).warnings] == [
        "captions/pull.en.vtt: has cues after the video's end at 90 seconds",
        "lessons/01.md:9: pictures of the folder are not shown inside text",
        "lessons/02.md:5: media/pull.mp4 keeps its index at the end and starts slowly",
        "lessons/99.md: no section in course.yaml names it",
    ]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert faults(tmp_path / "nowhere") == ["nowhere: is not a folder"]
    assert faults(tmp_path) == ["course.yaml: there is no such file"]
    (tmp_path / "course.yaml").write_text("# nothing yet\n")
    assert faults(tmp_path) == ["course.yaml:1: is empty"]
    (tmp_path / "course.yaml").write_text("- a list\n")
    assert faults(tmp_path)[0].startswith("course.yaml:1: must be a set of keys")


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(course: Path) -> None:
    (course / "lessons/01.md").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert read_folder(course).lessons[0].body_md == "Twice a day the sea **rises**."


def test_a_fault_cannot_move_the_cursor_of_a_terminal(course: Path, replace: Replace) -> None:
    replace("course.yaml", "title: Tides", 'title: Tides\n"\\e[2J\\nforged.md:1: line": x')
    assert all(fault.isprintable() for fault in faults(course))


def test_the_sample_course_is_sound() -> None:
    root = Path(__file__).parents[4] / "samples" / "courses" / "how-the-cloud-works"
    folder = read_folder(root)
    assert folder.warnings == ()
    assert len(folder.lessons) == 10
    assert [lesson.duration_seconds for lesson in folder.lessons if lesson.kind == "video"] == [80, 76, 72]
    assert sum(media.size for media in folder.media.values()) < 9_000_000
    cover = folder.cover
    assert cover
    assert cover.size < 300_000


def test_markdown_may_be_32_kib(course: Path) -> None:
    lesson = course / "lessons/01.md"
    lesson.write_text(TEXT + "x" * (32 * 1024 - len(TEXT)))
    read_folder(course)
    lesson.write_text(TEXT + "x" * (32 * 1024 - len(TEXT) + 1))
    assert faults(course) == ["lessons/01.md: is 32769 bytes, and may be 32 KiB at most"]
