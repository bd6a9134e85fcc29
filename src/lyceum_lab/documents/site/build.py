"""Build the site with MkDocs, in an environment of its own, and serve it on this machine alone.

Every warning is an error: a page that stands nowhere, a link or an anchor that leads nowhere. A browser that reads the
site asks nobody but its server.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from lyceum_lab import paths
from lyceum_lab.documents.site import source
from lyceum_lab.documents.site.navigation import navigation
from lyceum_lab.proofs import installed
from lyceum_ops import processes
from lyceum_ops.errors import LyceumError, Usage
from lyceum_ops.processes import die_with_parent

CONFIGURATION = paths.CHECKOUT / "mkdocs.yml"
LOCK = paths.CHECKOUT / "requirements" / "docs.txt"
OUT = paths.HOME / "docs" / "site"
# In a folder that may be emptied: MkDocs leaves hidden files where they are.
MARK = ".made-by-lyceum-docs"


def build(out: Path = OUT, docs: Path = source.DOCS) -> Path:
    """Build the site into `out`, whose former content goes.

    Raises LyceumError that lists every warning of MkDocs, Usage for a folder that holds something else or cannot be.
    """
    out = out.resolve()
    _claim(out)
    mkdocs = installed.install("mkdocs", LOCK, paths.TOOLS)
    # A folder of its own: two builds at once are nobody's trouble.
    with tempfile.TemporaryDirectory(prefix="lyceum-docs-") as folder:
        work = Path(folder)
        source.stage(work / "source", docs)
        configuration = work / "mkdocs.yml"
        configuration.write_text(
            yaml.safe_dump({
                "INHERIT": str(CONFIGURATION),
                "docs_dir": str(work / "source"),
                "site_dir": str(out),
                "nav": navigation(work / "source"),
            })
        )  # fmt: skip
        done = subprocess.run(
            # Not --quiet: then no warning is counted, and strict means nothing.
            [str(mkdocs), "build", "--strict", "--config-file", str(configuration)],
            # Material greets whoever builds with news of its own; they are none of a build's warnings.
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "NO_MKDOCS_2_WARNING": "1", "TZ": "UTC"},
            capture_output=True, text=True, check=False, preexec_fn=die_with_parent(),
        )  # fmt: skip
    if done.returncode:
        raise LyceumError(f"The site was not built: {'; '.join(said(done.stderr))}.", "Mend the pages.")
    return out


def _claim(out: Path) -> None:
    """Have the folder and its mark. Raises Usage where it is somebody's, or cannot be made."""
    try:
        if out != OUT and out.is_dir() and any(out.iterdir()) and not (out / MARK).exists():
            raise Usage(f"{out} is not empty, and holds no site that could be replaced.", "Name another folder.")
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).touch()
    except OSError as error:
        raise Usage(f"{out} cannot be written: {error.strerror}.", "Name another folder.") from error


def said(errors: str) -> list[str]:
    """What MkDocs complains of, one text each."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", errors)
    found = [
        " ".join(one.split()) for one in re.findall(r"^(?:WARNING|ERROR) +- +(.+(?:\n +- .+)*)", lines, re.MULTILINE)
    ]
    return found or errors.strip().splitlines()[-1:] or ["MkDocs said nothing"]


def serve(out: Path, port: int) -> None:
    """Serve a built site on 127.0.0.1 until interrupted."""
    processes.require_port(port)
    with server(out, port) as answers:
        print(f"The documents answer at http://127.0.0.1:{port}/  Ctrl-C ends it.", flush=True)
        answers.serve_forever()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """A line for each picture is no use to anybody."""


def server(out: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder, not started."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(out)))
