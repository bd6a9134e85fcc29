"""Loads a course folder, or brings the course that came from it up to date. The format: docs/how-to/course-folder.md.

Faults go to standard error, one line each (`lessons/02.md:4: …`), all at once, with a closing line and exit code 1;
of very many only the first are shown.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lyceum.content import get_store
from lyceum.courses.folder.faults import FaultyFolderError, LoadFailedError
from lyceum.courses.folder.loading import LoadReport, load
from lyceum.courses.folder.reading import CourseFolder, read_folder

MAX_LISTED = 50


class Command(BaseCommand):
    help = "Load a course from its folder, or update it; the same folder twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that holds course.yaml")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["folder"]
        dry_run: bool = options["dry_run"]
        try:
            folder = read_folder(path)
            self._list([f"{warning} (a warning)" for warning in folder.warnings], "warning")
            report = load(folder, store=get_store(), dry_run=dry_run)
        except FaultyFolderError as error:
            self._list([str(fault) for fault in error.faults], "fault")
            faults = _count(len(error.faults), "fault")
            raise CommandError(f"{path} was not loaded: {faults}. Nothing was changed.") from error
        except LoadFailedError as error:
            raise CommandError(f"{path} was not loaded. {error} Nothing was changed.") from error
        self._tell(folder, report, dry_run=dry_run)

    def _list(self, lines: list[str], thing: str) -> None:
        for line in lines[:MAX_LISTED]:
            self.stderr.write(line)
        if len(lines) > MAX_LISTED:
            self.stderr.write(f"… and {_count(len(lines) - MAX_LISTED, f'more {thing}')}.")

    def _tell(self, folder: CourseFolder, report: LoadReport, *, dry_run: bool) -> None:
        if report.state == "unchanged":
            what = f"Nothing changed: '{folder.title}' ({folder.slug}) is as the folder has it"
        else:
            done = {"created": "Loaded", "updated": "Updated"}[report.state]
            sections, lessons = len(folder.sections), len(folder.lessons)
            what = (
                f"{done} '{folder.title}' ({folder.slug}): {_count(sections, 'section')}, {_count(lessons, 'lesson')}"
            )
        self.stdout.write(f"{what}; digest {folder.digest[:12]}.")
        for word, slugs in (("Added", report.added), ("Changed", report.changed), ("Removed", report.removed)):
            if slugs:
                self.stdout.write(f"  {word}: {', '.join(slugs)}")
        if report.media_stored:
            size = sum(folder.media[key].size for key in report.media_stored) / 1_000_000
            self.stdout.write(f"  Media stored: {_count(len(report.media_stored), 'file')}, {size:.1f} MB")
        if report.media_removed:
            self.stdout.write(f"  Media removed: {_count(len(report.media_removed), 'file')}")
        for note in report.notes:
            self.stderr.write(note)
        if dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
