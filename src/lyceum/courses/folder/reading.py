"""Reads a course folder into dataclasses and finds everything that is wrong with it. No database, no content store.

The format is described in docs/how-to/course-folder.md. Every path inside it is relative to the course folder, is
resolved through symbolic links, and must end inside the folder. Sizes are looked at before bytes are read, so that a
Markdown file of 300 MB costs one `stat`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from . import marked_yaml, webvtt
from .faults import Fault, FaultyFolderError, Findings
from .marked_yaml import Mapping, Source, Value
from .media import (
    CAPTIONS,
    DOCUMENTS,
    MAX_VIDEO_SECONDS,
    MIB,
    PICTURES,
    TYPES,
    VIDEOS,
    MalformedMediaError,
    Media,
    looks_like,
    read_mp4,
    sha256_of,
)

COURSE_FILE = "course.yaml"
DESCRIPTION_FILE = "description.md"
LEVELS = ("beginner", "intermediate", "advanced")
KINDS = ("text", "video", "document")
MAX_COURSE_FILE = 256 * 1024
# Some 5000 words. Rendering costs up to 20 µs of CPU a byte for the worst text ("![" again and again), on every view.
MAX_MARKDOWN = 32 * 1024
# As long as the columns that will hold them; a test compares.
TITLE_CHARS = 120
SUMMARY_CHARS = 300
SLUG_CHARS = 80
TOPIC_CHARS = 60
LANGUAGE_CHARS = 12

# Part of every digest: raise it when the same folder would be stored differently, so that courses are written anew.
_FORMAT = 1
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PICTURE_IN_TEXT = re.compile(r"!\[[^\]]*\]\((?!https?://|content:)")
_COURSE_KEYS = (
    "slug",
    "title",
    "summary",
    "topic",
    "level",
    "language",
    "cover",
    "instructors",
    "published",
    "sections",
)
_LESSON_KEYS = ("title", "slug", "kind", "summary", "video", "document", "poster", "duration", "captions")


@dataclass(frozen=True)
class Caption:
    """Captions of a video in one language (a BCP 47 tag such as `en` or `pt-BR`)."""

    media: Media
    language: str
    label: str


@dataclass(frozen=True)
class LessonFile:
    """One lesson, read from `path` with its slug in `line`. `duration_seconds` is rounded up; None but for videos."""

    path: str
    line: int
    slug: str
    title: str
    kind: str
    summary: str
    body_md: str
    media: Media | None
    poster: Media | None
    duration_seconds: int | None
    captions: tuple[Caption, ...]


@dataclass(frozen=True)
class SectionPart:
    """A section and its lessons, in the order of the folder."""

    slug: str
    title: str
    lessons: tuple[LessonFile, ...]


@dataclass(frozen=True)
class CourseFolder:
    """A folder without a fault. `instructors` holds (e-mail, line); None means that the file does not speak of them."""

    root: Path
    slug: str
    slug_line: int
    title: str
    summary: str
    description_md: str
    topic: str
    level: str
    language: str
    cover: Media | None
    published: bool
    instructors: tuple[tuple[str, int], ...] | None
    sections: tuple[SectionPart, ...]
    warnings: tuple[Fault, ...]

    @property
    def lessons(self) -> tuple[LessonFile, ...]:
        return tuple(lesson for section in self.sections for lesson in section.lessons)

    @property
    def media(self) -> dict[str, Media]:
        """Everything the content store must hold, by content key."""
        found: list[Media | None] = [self.cover]
        for lesson in self.lessons:
            found += [lesson.media, lesson.poster, *(caption.media for caption in lesson.captions)]
        return {media.key(self.slug): media for media in found if media}

    @property
    def digest(self) -> str:
        """SHA-256 in hex of all that is stored; where the folder and its files lie plays no part."""
        content = asdict(self)
        content["instructors"] = None if self.instructors is None else [email for email, _ in self.instructors]
        for ignored in ("root", "slug_line", "warnings"):
            del content[ignored]
        text = json.dumps([_FORMAT, sorted(self.media), _without_places(content)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_folder(root: Path) -> CourseFolder:
    """The course in `root`. Raises FaultyFolderError with every fault that was found."""
    findings = Findings()
    try:
        course = _Reader(root, findings).course()
    except OSError as error:  # a disk that fails, a file that vanishes or may not be read meanwhile
        name = Path(str(error.filename)).name if error.filename else COURSE_FILE
        findings.fault(name, 0, f"cannot be read: {error.strerror or error}")
        course = None
    if course is None or findings.faults:
        raise FaultyFolderError(findings.faults)
    return course


class _Reader:
    def __init__(self, root: Path, findings: Findings) -> None:
        self.root = root.resolve()
        self.findings = findings
        self._media: dict[Path, Media | None] = {}

    def course(self) -> CourseFolder | None:
        if not self.root.is_dir():
            self.findings.fault(str(self.root.name), 0, "is not a folder")
            return None
        text = self._text(COURSE_FILE, longest=MAX_COURSE_FILE)
        source = Source(COURSE_FILE, 0, self.findings)
        top = marked_yaml.read(text, source) if text is not None else None
        keys = top.as_mapping(allowed=_COURSE_KEYS, required=("slug", "title", "summary", "sections")) if top else None
        if not keys:
            return None
        description = self._text(DESCRIPTION_FILE, longest=MAX_MARKDOWN, optional=True) or ""
        self._check_pictures(DESCRIPTION_FILE, description, 1)
        published = keys.get("published")
        return CourseFolder(
            root=self.root,
            slug=_slug(keys),
            slug_line=_line(keys, "slug"),
            title=keys.text("title", longest=TITLE_CHARS),
            summary=keys.text("summary", longest=SUMMARY_CHARS),
            description_md=description.strip(),
            topic=keys.text("topic", longest=TOPIC_CHARS),
            level=_one_of(keys, "level", LEVELS),
            language=_language(keys) or "en",
            cover=self._keyed_media(keys, "cover", PICTURES),
            published=bool(published.as_bool()) if published else False,
            instructors=_instructors(keys),
            sections=self._sections(keys),
            warnings=tuple(sorted(self.findings.warnings)),
        )

    # Sections and lessons

    def _sections(self, keys: Mapping) -> tuple[SectionPart, ...]:
        value = keys.get("sections")
        items = value.as_list() if value else None
        if items is None or value is None:
            return ()
        if not items:
            value.fault("a course needs at least one section")
        sections: list[SectionPart] = []
        section_slugs: dict[str, str] = {}
        lesson_slugs: dict[str, str] = {}
        files: dict[str, int] = {}
        for item in items:
            section = item.as_mapping(allowed=("slug", "title", "lessons"), required=("slug", "title", "lessons"))
            if not section:
                continue
            slug = _slug(section)
            self._once(section_slugs, slug, COURSE_FILE, _line(section, "slug"), "section slug")
            lessons = self._lessons(section, files, lesson_slugs)
            sections.append(SectionPart(slug, section.text("title", longest=TITLE_CHARS), lessons))
        self._warn_of_strays(files)
        return tuple(sections)

    def _lessons(self, section: Mapping, files: dict[str, int], slugs: dict[str, str]) -> tuple[LessonFile, ...]:
        value = section.get("lessons")
        items = value.as_list() if value else None
        if items is None or value is None:
            return ()
        if not items:
            value.fault("a section needs at least one lesson")
        lessons: list[LessonFile] = []
        for item in items:
            path = item.as_text(longest=300)
            if path is None:
                continue
            if not path.endswith(".md"):
                item.fault(f"{path}: a lesson is a Markdown file whose name ends in .md")
                continue
            if path in files:
                item.fault(f"{path} is already a lesson in line {files[path]}")
                continue
            files[path] = item.line
            lesson = self._lesson(path, item)
            if lesson:
                self._once(slugs, lesson.slug, path, lesson.line, "lesson slug")
                lessons.append(lesson)
        return tuple(lessons)

    def _lesson(self, path: str, named_by: Value) -> LessonFile | None:
        text = self._text(path, longest=MAX_MARKDOWN, named_by=named_by)
        if text is None:
            return None
        lines = text.split("\n")
        closing = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if lines[0].rstrip() != "---" or closing is None:
            what = "must begin with front matter" if lines[0].rstrip() != "---" else "front matter has no end"
            self.findings.fault(path, 1, f"{what}: a line ---, the keys (title, slug, …), a line ---")
            return None
        top = marked_yaml.read("\n".join(lines[1:closing]), Source(path, 1, self.findings))
        keys = top.as_mapping(allowed=_LESSON_KEYS, required=("title", "slug")) if top else None
        if not keys:
            return None
        body = "\n".join(lines[closing + 1 :]).strip()
        kind = _one_of(keys, "kind", KINDS) if "kind" in keys else "text"
        self._check_pictures(path, "\n".join(lines[closing + 1 :]), closing + 2)
        self._check_kind(path, keys, kind, body)
        media = None
        if kind in {"video", "document"}:
            media = self._keyed_media(keys, kind, VIDEOS if kind == "video" else DOCUMENTS)
        duration = self._duration(keys, media) if kind == "video" else None
        return LessonFile(
            path=path,
            line=_line(keys, "slug"),
            slug=_slug(keys),
            title=keys.text("title", longest=TITLE_CHARS),
            kind=kind,
            summary=keys.text("summary", longest=SUMMARY_CHARS, empty_ok=True),
            body_md=body,
            media=media,
            poster=self._keyed_media(keys, "poster", PICTURES) if kind == "video" else None,
            duration_seconds=duration,
            captions=self._captions(keys, duration) if kind == "video" else (),
        )

    def _check_kind(self, path: str, keys: Mapping, kind: str, body: str) -> None:
        """Keys that only make sense for another kind are faults: most often `kind` was forgotten."""
        belongs = {
            "video": "video",
            "poster": "video",
            "duration": "video",
            "captions": "video",
            "document": "document",
        }
        for key, owner in belongs.items():
            value = keys.get(key)
            if value and kind and kind != owner:
                value.fault(f"belongs to a lesson of kind {owner}, and this one is of kind {kind}")
        if kind in {"video", "document"} and kind not in keys:
            self.findings.fault(path, keys.line, f"a lesson of kind {kind} needs the key '{kind}' with the file")
        if kind == "text" and not body:
            self.findings.fault(path, 0, "a lesson of kind text has no text below its front matter")

    def _duration(self, keys: Mapping, video: Media | None) -> int | None:
        value = keys.get("duration")
        given = value.as_number() if value else None
        found: float | None = None
        if video and video.content_type == "video/mp4":
            place = keys.get("video")
            try:
                facts = read_mp4(video.source)
            except MalformedMediaError as error:
                if place:
                    place.fault(f"{video.path}: {error}")
                return None
            found = facts.seconds
            if place and not facts.streamable:
                self.findings.warn(
                    place.source.path,
                    place.line,
                    f"{video.path} keeps its index at the end and starts slowly; ffmpeg -movflags +faststart mends it",
                )
        if value and given is None:
            return None
        if value and given is not None and found is not None and abs(given - found) > 2:
            value.fault(f"says {given:g} seconds, and the file lasts {found:.1f}; leave the key out")
            return None
        seconds = found if found is not None else given
        blame = value or keys.get("video")
        if seconds is None:
            if video and blame:
                blame.fault(f"{video.path} does not tell its length; add the key 'duration' in seconds")
            return None
        # not (0 < x <= limit) also catches .nan
        if blame and not 0 < seconds <= MAX_VIDEO_SECONDS:
            blame.fault(f"a video lasts more than 0 seconds and at most 6 hours, not {seconds:g} seconds")
            return None
        return max(1, math.ceil(seconds))

    def _captions(self, keys: Mapping, duration: int | None) -> tuple[Caption, ...]:
        value = keys.get("captions")
        captions: list[Caption] = []
        languages: dict[str, str] = {}
        for item in (value.as_list() if value else None) or []:
            caption = item.as_mapping(allowed=("file", "language", "label"), required=("file", "language", "label"))
            if not caption:
                continue
            language = _language(caption)
            self._once(languages, language, item.source.path, _line(caption, "language"), "captions language")
            media = self._keyed_media(caption, "file", CAPTIONS)
            label = caption.text("label", longest=60)
            if media:
                text = self._text(media.path, longest=TYPES[".vtt"].longest) or ""
                if duration and webvtt.last_start(text) >= duration:
                    self.findings.warn(media.path, 0, f"has cues after the video's end at {duration} seconds")
                captions.append(Caption(media, language, label))
        return tuple(captions)

    def _once(self, seen: dict[str, str], slug: str, path: str, line: int, what: str) -> None:
        if slug and slug in seen:
            self.findings.fault(path, line, f"{what} '{slug}' is taken by {seen[slug]}")
        elif slug:
            seen[slug] = f"{path}:{line}"

    def _warn_of_strays(self, named: Iterable[str]) -> None:
        known = {(self.root / path).resolve() for path in named}
        known |= {(self.root / DESCRIPTION_FILE).resolve()}
        for file in sorted(self.root.rglob("*.md")):
            if file.is_file() and file.resolve() not in known and file.name.lower() != "readme.md":
                self.findings.warn(file.relative_to(self.root).as_posix(), 0, f"no section in {COURSE_FILE} names it")

    def _check_pictures(self, path: str, text: str, first_line: int) -> None:
        for number, line in enumerate(text.split("\n"), first_line):
            if _PICTURE_IN_TEXT.search(line):
                self.findings.warn(path, number, "pictures of the folder are not shown inside text")

    # Files

    def _find(self, path: str, complain: Callable[[str], None]) -> Path | None:
        """The regular file that `path` means, or None after complaining."""
        if not path or path.startswith("/") or "\\" in path or ".." in path.split("/"):
            complain(f"{path}: a path is relative, with forward slashes, and stays inside the course folder")
            return None
        try:
            found = (self.root / path).resolve(strict=True)
            mode = found.stat().st_mode
        except (OSError, RuntimeError, ValueError):  # absent, a loop of links, a name too long
            complain(f"{path}: there is no such file")
            return None
        if not found.is_relative_to(self.root):
            complain(f"{path}: leads out of the course folder")
            return None
        if not stat.S_ISREG(mode):
            complain(f"{path}: is not a file")
            return None
        return found

    def _text(self, path: str, *, longest: int, named_by: Value | None = None, optional: bool = False) -> str | None:
        """The file as text with `\\n` line ends, or None after a fault, in the line of `named_by` if it is missing."""
        if optional and not (self.root / path).exists() and not (self.root / path).is_symlink():
            return None

        def complain(message: str) -> None:
            if named_by:
                named_by.fault(message)
            else:
                self.findings.fault(path, 0, message.removeprefix(f"{path}: "))

        found = self._find(path, complain)
        if not found:
            return None
        size = found.stat().st_size
        if size > longest:
            shown = _size(size) if _size(size) != _size(longest) else f"{size} bytes"
            self.findings.fault(path, 0, f"is {shown}, and may be {_size(longest)} at most")
            return None
        data = found.read_bytes().removeprefix(b"\xef\xbb\xbf")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.findings.fault(path, line, f"is not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8")
            return None
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self.findings.fault(path, line, "holds a NUL character; this is not a text file")
            return None
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _keyed_media(self, keys: Mapping, key: str, extensions: tuple[str, ...]) -> Media | None:
        value = keys.get(key)
        path = value.as_text(longest=300) if value else None
        if value is None or path is None:
            return None
        found = self._find(path, value.fault)
        if not found:
            return None
        extension = Path(path).suffix.lower()
        if extension not in extensions:
            value.fault(f"{path}: must be one of {', '.join(extensions)}")
            return None
        if found not in self._media:
            self._media[found] = self._admit(path, found, extension, value)
        return self._media[found]

    def _admit(self, path: str, found: Path, extension: str, value: Value) -> Media | None:
        kind = TYPES[extension]
        size = found.stat().st_size
        if size > kind.longest:
            value.fault(f"{path}: is {_size(size)}, and a {kind.name} may be {_size(kind.longest)} at most")
            return None
        with found.open("rb") as file:
            head = file.read(4096)
        if extension == ".vtt":
            text = self._text(path, longest=kind.longest)
            faults = list(webvtt.check(text)) if text is not None else []
            for line, message in faults:
                self.findings.fault(path, line, message)
            if text is None or faults:
                return None
        elif not looks_like(extension, head):
            value.fault(f"{path}: is not a {kind.name}, whatever its name says")
            return None
        return Media(path, found, kind.content_type, size, sha256_of(found))


def _slug(keys: Mapping) -> str:
    slug = keys.text("slug", longest=SLUG_CHARS)
    value = keys.get("slug")
    if slug and value and not _SLUG.fullmatch(slug):
        value.fault(f"'{slug}' must be small letters, digits and single hyphens, such as how-the-cloud-works")
        return ""
    return slug


def _one_of(keys: Mapping, key: str, allowed: tuple[str, ...]) -> str:
    text = keys.text(key, longest=40)
    value = keys.get(key)
    if text and value and text not in allowed:
        value.fault(f"'{text}' must be one of {', '.join(allowed)}")
        return ""
    return text or ("" if key == "kind" else allowed[0])


def _language(keys: Mapping) -> str:
    text = keys.text("language", longest=LANGUAGE_CHARS)
    value = keys.get("language")
    if text and value and not _LANGUAGE.fullmatch(text):
        value.fault(f"'{text}' must be a language tag such as en or pt-BR")
        return ""
    return text


def _instructors(keys: Mapping) -> tuple[tuple[str, int], ...] | None:
    value = keys.get("instructors")
    items = value.as_list() if value else None
    if items is None:
        return None
    found: dict[str, int] = {}
    for item in items:
        email = (item.as_text(longest=254) or "").lower()
        if email and not _EMAIL.fullmatch(email):
            item.fault(f"'{email}' is not an e-mail address")
        elif email in found:
            item.fault(f"{email} is named twice, first in line {found[email]}")
        elif email:
            found[email] = item.line
    return tuple(found.items())


def _line(keys: Mapping, key: str) -> int:
    value = keys.get(key)
    return value.line if value else keys.line


def _size(count: int) -> str:
    for unit, name in ((MIB * 1024, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count} bytes"


def _without_places(content: object) -> object:
    """A copy without the keys that say where a thing was found."""
    if isinstance(content, dict):
        return {key: _without_places(value) for key, value in content.items() if key not in {"line", "source", "path"}}
    if isinstance(content, (list, tuple)):
        return [_without_places(item) for item in content]
    return content
