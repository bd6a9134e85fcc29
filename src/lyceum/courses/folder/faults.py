"""What is wrong with a course folder, kept as a list, so that an author mends everything in one go.

CourseFolderError
├── FaultyFolderError   the folder breaks the format; carries every fault
└── LoadFailedError     the folder is sound, a store or the database was not; nothing was kept
"""

from __future__ import annotations

from dataclasses import dataclass, field


class CourseFolderError(Exception):
    """A course folder that was not loaded. `code` is for programs, the message for people."""

    code = "course_folder"


@dataclass(frozen=True, order=True)
class Fault:
    """One thing to mend. `path` is relative to the course folder, `line` counts from 1 (0: the file as a whole)."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}"


class FaultyFolderError(CourseFolderError):
    """The folder breaks the format; `faults` lists all of it, in the order of files and lines."""

    code = "course_folder_faulty"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("; ".join(str(fault) for fault in self.faults))


class LoadFailedError(CourseFolderError):
    """Storing media or writing rows failed; what had been stored was taken back."""

    code = "course_folder_load_failed"


@dataclass
class Findings:
    """Collects faults (which stop a load) and warnings (which do not) while a folder is read."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def fault(self, path: str, line: int, message: str) -> None:
        self.faults.append(Fault(path, line, _one_line(message)))

    def warn(self, path: str, line: int, message: str) -> None:
        self.warnings.append(Fault(path, line, _one_line(message)))


def _one_line(message: str) -> str:
    """The message without control characters: text of a folder must not move a terminal's cursor or forge a line."""
    return "".join(char if char.isprintable() else "�" for char in message)
