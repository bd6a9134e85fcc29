"""Compares the file tree with the database: what a crash, a deleted course or a restore from two different hours can
leave apart.
"""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lyceum.shared.models import SharedFile
from lyceum.shared.storage import INCOMING

# An upload is over long before.
GRACE_SECONDS = 24 * 3600


class Command(BaseCommand):
    help = "List files that no row names, and rows whose file is missing. Exit code 1 when a file is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove", action="store_true", help="delete files that no row names and that are older than a day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.SHARED_FILES_DIR)
        if not root.is_dir():
            raise CommandError(f"SHARED_FILES_DIR={root} is not there: is the file system mounted?")
        # The tree first: a file shared in between has its row by the time that rows are read.
        tree = {path.relative_to(root).as_posix(): path for path in root.glob("*/*") if path.is_file()}
        rows = {f"{course}/{file}": size for course, file, size in _rows()}
        missing = [name for name, size in rows.items() if name not in tree or tree[name].stat().st_size != size]
        strays = [path for name, path in tree.items() if name not in rows and _old(path)]
        for path in strays:
            if options["remove"]:
                path.unlink(missing_ok=True)
        for name in missing:
            self.stderr.write(f"missing or cut short: {name}")
        self.stdout.write(
            f"{len(rows)} files, {len(missing)} missing, {len(strays)} that no row names"
            + (" and that are removed" if options["remove"] else "")
        )
        if missing:
            raise CommandError("Restore the file tree from the backup of the same hour as the database.")


def _rows() -> Any:
    return SharedFile.objects.values_list("course_id", "id", "size").iterator()


def _old(path: Path) -> bool:
    """Whether it is one of ours, and older than any upload under way."""
    if path.parent.name != INCOMING:
        try:
            UUID(path.name)
        except ValueError:
            return False
    return path.stat().st_mtime < time.time() - GRACE_SECONDS
