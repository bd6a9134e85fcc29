"""What can go wrong in a way that its reader can mend.

    LyceumError            one line for people, exit code 1
    ├── Usage              the command line is wrong, exit code 2
    ├── MissingTool        a program is not there, or too old
    ├── CommandFailed      a program that was run ended with an error
    ├── NoCredentials      AWS was not asked, or does not know the one who asks: none, wrong or expired credentials
    ├── NotPermitted       AWS knows who asks, and does not let them
    ├── WrongPlace         another account, or another region, than the one that is meant
    ├── StateLocked        somebody else's Terraform is at work on the same state
    ├── StateLost          Terraform's state is not where it belongs
    ├── Refused            it could be done, and is not: something protects it, or nobody said yes
    ├── RolledBack         a release did not hold: production went back, or has to be brought back
    ├── Interrupted        somebody ended the waiting; what was begun at AWS goes on there, exit code 130
    └── DiskFull           there is no room to write

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
    """A program that was run ended with a non-zero code. `errors` are its own words, whole."""

    def __init__(self, message: str, hint: str = "", errors: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.errors = errors


class NoCredentials(LyceumError):
    """There are no AWS credentials, or AWS does not accept them any more."""


class NotPermitted(LyceumError):
    """AWS refused an action to whoever asked."""


class WrongPlace(LyceumError):
    """The credentials or the settings lead to another account or region than the one that is meant."""


class StateLocked(LyceumError):
    """A lock lies on the state."""


class StateLost(LyceumError):
    """The bucket of the states, or a state in it, is not there."""


class Refused(LyceumError):
    """Nothing was done, on purpose."""


class RolledBack(LyceumError):
    """A release is not live: it was taken back, or broke half way. `outcome` is the ledger's word for it."""

    def __init__(self, message: str, hint: str = "", outcome: str = "failed") -> None:
        super().__init__(message, hint)
        self.outcome = outcome


class Interrupted(LyceumError):
    """The command was ended from outside while AWS is at work."""

    exit_code = 130


class DiskFull(LyceumError):
    """No room is left on this machine."""
