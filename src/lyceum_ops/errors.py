"""What can go wrong in a way that its reader can mend.

    LyceumError            one line for people, exit code 1
    ├── Usage              the command line is wrong, exit code 2
    ├── MissingTool        a program is not there, or too old
    └── CommandFailed      a program that was run ended with an error

The command has one boundary that prints these; anything else is a defect and keeps its traceback.
"""

from __future__ import annotations


class LyceumError(Exception):
    """What failed (`message`) and what to do about it (`hint`, may be empty)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Usage(LyceumError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class MissingTool(LyceumError):
    """A program that the work needs is absent or too old."""


class CommandFailed(LyceumError):
    """A program that was run ended with a non-zero code."""
