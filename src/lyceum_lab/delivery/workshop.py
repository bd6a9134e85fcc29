"""A clean clone that needs no environment of its own, and releases that are made in one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lyceum_lab import paths
from lyceum_ops.errors import LyceumError

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def clone(repository: Path, target: Path, *, venv: Path | None = None, commit: str = "") -> Path:
    """A clone in `target`, which is emptied, at a commit or where the repository stands. Returns it.

    With `venv` it uses that environment: what `./lyceum` would install from the same lock, once more, in each clone.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    run("git", "clone", "--quiet", *(["--no-checkout"] if commit else []), str(repository), str(target))
    if commit:
        run("git", "-C", str(target), "checkout", "--quiet", "--detach", commit)
    if venv:
        (target / ".venv").symlink_to(venv)
        with (target / ".git" / "info" / "exclude").open("a") as excluded:
            excluded.write(".venv\n")
    return target


def run(*words: str, env: Mapping[str, str] | None = None) -> str:
    """What a program said. Raises LyceumError, with its last line, when it fails."""
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise LyceumError(f"{' '.join(words[:3])} failed: {last}")
    return done.stdout.strip()


@dataclass
class Workshop:
    """A clone of this repository in which releases are made; `home` is its LYCEUM_HOME."""

    folder: Path
    home: Path

    @classmethod
    def make(cls, place: Path) -> Workshop:
        """In a folder, anew."""
        found = cls(clone(paths.CHECKOUT, place / "clone", venv=paths.CHECKOUT / ".venv"), place / "home")
        shutil.rmtree(found.home, ignore_errors=True)
        found.home.mkdir()
        (found.home / "wheels").symlink_to(paths.HOME / "wheels")
        return found

    def git(self, *words: str) -> str:
        """In the clone, as somebody. Returns what it said."""
        return run("git", "-C", str(self.folder), *AUTHOR, *words)

    def built(self) -> tuple[Path, str]:
        """What is checked out, built: the folder of its artifact, and its version."""
        target = self.home / "artifacts"
        shutil.rmtree(target, ignore_errors=True)
        env = {**os.environ, "LYCEUM_HOME": str(self.home), "COLUMNS": "200"}
        run(str(self.folder / "lyceum"), "artifact", "--out", str(target), env=env)
        (version,) = [path.name for path in target.iterdir()]
        return target, version
