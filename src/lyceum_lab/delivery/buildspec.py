"""Runs a buildspec (version 0.2) as CodeBuild does: all phases in one shell, its variables below the project's own.

What it does not understand it refuses: a buildspec that uses more of CodeBuild than this knows must not seem to work.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from lyceum_ops.errors import LyceumError

PHASES = ("install", "pre_build", "build", "post_build")
KNOWN = {
    "": {"version", "env", "phases", "artifacts"},
    "env": {"shell", "variables", "exported-variables"},
    "phase": {"commands"},
    "artifacts": {"base-directory", "files"},
}


@dataclass(frozen=True)
class Built:
    """How a build ended, what it exported, and its whole output."""

    code: int
    exported: Mapping[str, str]
    output: str


@dataclass(frozen=True)
class Buildspec:
    """A buildspec, read. Raises LyceumError for what CodeBuild knows and this does not."""

    file: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    artifacts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Buildspec:
        try:
            spec = yaml.safe_load(file.read_text())
        except (OSError, yaml.YAMLError) as error:
            raise LyceumError(f"{file.name} is no buildspec: {' '.join(str(error).split())}") from error
        env, phases = _within(file, "env", spec.get("env")), spec.get("phases", {})
        _within(file, "", spec)
        if spec.get("version") != 0.2 or env.get("shell") != "bash" or not phases.keys() <= set(PHASES):
            raise LyceumError(f"{file.name} is not of version 0.2, not for bash, or has a phase of its own.")
        commands = tuple(
            command for phase in PHASES for command in _within(file, "phase", phases.get(phase)).get("commands", [])
        )
        if not commands:
            raise LyceumError(f"{file.name} does nothing.")
        return cls(
            file, env.get("variables", {}), tuple(env.get("exported-variables", [])), commands,
            _within(file, "artifacts", spec.get("artifacts")),
        )  # fmt: skip

    def run(self, source: Path, env: Mapping[str, str]) -> Built:
        """Run it in `source` with CodeBuild's environment; a failing command ends it."""
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "exported"
            lines = []
            for command in self.commands:
                lines += [f"printf '%s\\n' {quote(f'[Container] Running command {command}')}", command, _STOP]
            lines += [f"printf '%s\\0' \"{name}=${{{name}}}\" >>{quote(str(kept))}" for name in self.exported]
            done = subprocess.run(
                ["bash", "-c", "\n".join(lines)],
                cwd=source,
                env={**self.variables, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            words = kept.read_text().split("\0") if kept.exists() else []
        exported = dict(word.split("=", 1) for word in words if word)
        return Built(done.returncode, exported, done.stdout)

    def hand_on(self, source: Path, target: Path) -> None:
        """Copy what it declares as its artifact. Raises LyceumError where nothing matches, as CodeBuild does."""
        base = source / self.artifacts.get("base-directory", ".")
        found = sorted({file for pattern in self.artifacts["files"] for file in base.glob(pattern) if file.is_file()})
        if not found:
            raise LyceumError(f"{self.file.name}: no file matches {', '.join(self.artifacts['files'])}.")
        for file in found:
            place = target / file.relative_to(base)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


_STOP = "_code=$?; if [ $_code -ne 0 ]; then exit $_code; fi"


def _within(file: Path, where: str, found: Any) -> dict[str, Any]:
    """The mapping at this place, which may hold known keys only."""
    given: dict[str, Any] = found or {}
    if strange := given.keys() - KNOWN[where]:
        raise LyceumError(f"{file.name} uses {', '.join(sorted(strange))}, which is not run here.")
    return given
