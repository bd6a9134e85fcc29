"""Packs the code of a Lambda function, which Terraform only carries: the same content gives the same bytes.

Terraform compares the archive's hash. Were it another one on each machine, or after each checkout, every plan would
hold a change that changes nothing.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from lyceum_ops.errors import LyceumError

# The earliest time that a zip archive can hold, for every file.
NO_TIME = (1980, 1, 1, 0, 0, 0)
READABLE = 0o100644
# What running or testing the code leaves beside it.
LEFT_OUT = {"__pycache__"}


def build(function: Path, archive: Path) -> Path:
    """Pack the files below the folder `function` into `archive`, whose folder is made. Returns `archive`.

    An archive whose content would not change is left as it is. Raises LyceumError when there is no Python in the
    folder, or a link that would take something from outside along.
    """
    files = sorted(
        (path.relative_to(function).as_posix(), path)
        for path in function.rglob("*")
        if not path.is_dir() and not LEFT_OUT & set(path.relative_to(function).parts)
    )
    if not any(name.endswith(".py") for name, _ in files):
        raise LyceumError(f"{function} holds no Python code.", "A function is a folder below functions/.")
    if links := [name for name, path in files if path.is_symlink()]:
        raise LyceumError(f"{function} holds a link, {links[0]}.", "Put the file itself there.")
    archive.parent.mkdir(parents=True, exist_ok=True)
    half = archive.with_suffix(".part")
    # Stored, not deflated: another zlib would give other bytes, and the code is a few kilobytes.
    with zipfile.ZipFile(half, "w", zipfile.ZIP_STORED) as bundle:
        for name, path in files:
            entry = zipfile.ZipInfo(name, NO_TIME)
            entry.create_system = 3  # Unix, whatever packs it: else the mode below means nothing
            entry.external_attr = READABLE << 16
            bundle.writestr(entry, path.read_bytes())
    if archive.exists() and archive.read_bytes() == half.read_bytes():
        half.unlink()
    else:
        half.replace(archive)
    return archive


def build_all(functions: Path, into: Path) -> dict[str, Path]:
    """Pack every folder below `functions` into `<into>/<its name>.zip`. Returns the archives by name."""
    folders = sorted(path for path in functions.iterdir() if path.is_dir() and path.name not in LEFT_OUT)
    return {folder.name: build(folder, into / f"{folder.name}.zip") for folder in folders}
