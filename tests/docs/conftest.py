"""A clone of what is checked out, the site built from it, and a browser for both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from lyceum_lab import paths
from lyceum_lab.delivery import workshop
from lyceum_lab.documents.site import build

PUBLISHED = "https://github.com/school/lyceum.git"


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of one commit with all that is checked out, what is not committed yet included."""
    folder = tmp_path_factory.mktemp("published") / "lyceum.git"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=paths.CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = paths.CHECKOUT / name, folder / name
        if source.is_file() and name != ".venv":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *workshop.AUTHOR, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def surroundings(repository: Path) -> dict[str, str]:
    """The environment of a reader: where the documents say that the repository is published, ours is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LYCEUM_", "DJANGO_", "PYTEST"))}
    return {
        **kept, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": PUBLISHED, "COLUMNS": "200",
    }  # fmt: skip


@pytest.fixture(scope="session")
def clone(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone, with the virtual environment of this checkout: making one takes a minute and is not the point."""
    folder = tmp_path_factory.mktemp("clone") / "lyceum"
    return workshop.clone(repository, folder, venv=paths.CHECKOUT / ".venv")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built of this checkout's documents."""
    return build.build(tmp_path_factory.mktemp("docs") / "site")


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site answers."""
    server = build.server(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, of the locked package."""
    home, lock = paths.TOOLS / "axe", paths.CHECKOUT / "requirements" / "axe.txt"
    script, stamp = home / "axe.min.js", home / ".lock"
    if not script.exists() or not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--requirement", str(lock), "--dest", str(home)],
            check=True, capture_output=True,
        )  # fmt: skip
        with zipfile.ZipFile(next(home.glob("*.whl"))) as wheel:
            script.write_bytes(wheel.read("axe_playwright_python/axe.min.js"))
        stamp.write_bytes(lock.read_bytes())
    return script.read_text()
