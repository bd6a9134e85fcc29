"""Running the platform on this machine: its management commands, its server, and the wait for its first page."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lyceum_lab import paths
from lyceum_ops.errors import CommandFailed, LyceumError
from lyceum_ops.processes import die_with_parent

# Every setting of the platform (src/lyceum/settings.py): a rehearsal takes none of them from the user's shell.
SETTINGS = (
    "LYCEUM_VAR_DIR", "DATABASE_URL", "DATABASE_PASSWORD_SECRET", "CONTENT_URL", "PROGRESS_URL", "SHARED_FILES_DIR",
    "SECRET_KEY", "ALLOWED_HOSTS", "SECURE", "TRUSTED_PROXIES", "EMAIL_URL", "EMAIL_FROM", "COLLECTED_STATIC",
    "LYCEUM_DEBUG", "LOG_FORMAT",
)  # fmt: skip
ROLES = ("student", "instructor", "administrator")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with the platform's settings on top."""
    return {**os.environ, "PYTHONPATH": str(paths.SRC), "PYTHONUNBUFFERED": "1", **settings}


@dataclass(frozen=True)
class Commands:
    """The platform's management commands, with one environment (whole, as of `environment`) and one log.

    `elsewhere` turns a command into one that runs in another place, such as a host of a rehearsed network.
    """

    env: Mapping[str, str]
    log: Path
    elsewhere: Callable[[list[str]], list[str]] = list

    def __call__(self, *arguments: str, **told: str) -> str:
        """Run one, told these variables too; its output goes into the log and is returned. Raises CommandFailed."""
        done = subprocess.run(
            self.elsewhere([str(paths.PYTHON), str(paths.CHECKOUT / "manage.py"), *arguments]),
            env={**self.env, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        # On a full disk the command's own reason counts, not that it could not be logged.
        with suppress(OSError), self.log.open("a", encoding="utf-8") as sink:
            sink.write(f"$ manage.py {' '.join(arguments)}\n{done.stdout}")
        if done.returncode:
            last = (done.stdout.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise CommandFailed(f"manage.py {arguments[0]} failed: {last}", f"Log: {self.log}")
        return done.stdout

    def load_sample_courses(self) -> int:
        """Load every course in samples/courses. Returns how many there are."""
        folders = sorted(path.parent for path in paths.SAMPLE_COURSES.glob("*/course.yaml"))
        for folder in folders:
            self("load_course", str(folder))
        return len(folders)

    def create_account(self, role: str) -> tuple[str, str]:
        """Create the sample account of a role. Returns e-mail and a new password, which stands in no log."""
        email, password = f"{role}@lyceum.example", "-".join(secrets.token_hex(2) for _ in range(4))
        self(
            "create_user", "--email", email, "--role", role, "--display-name", f"Sample {role}",
            LYCEUM_USER_PASSWORD=password,
        )  # fmt: skip
        return email, password


def start(port: int, *, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start granian with the platform on 127.0.0.1:`port`: one worker, as on a server with 1 GiB."""
    with log.open("ab") as sink:
        return subprocess.Popen(
            [
                str(paths.PYTHON), "-m", "granian", "lyceum.wsgi:application",
                "--interface", "wsgi",
                "--host", "127.0.0.1",
                "--port", str(port),
                "--workers", "1",
                "--blocking-threads", "4",
                "--no-ws",
            ],
            env=environment(env),
            cwd=paths.CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )  # fmt: skip


def wait(url: str, process: subprocess.Popen[bytes], *, log: Path, seconds: float = 30) -> None:
    """Return when `url` answers 200. Raises LyceumError when the server ends first or the time runs out."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while True:
        try:
            with opener.open(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code >= 500:
                raise LyceumError(f"{url} answers {error.code}.", f"Log: {log}") from error
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise LyceumError(f"The server ended: {lines[-1] if lines else 'it said nothing'}", f"Log: {log}")
        if time.monotonic() > deadline:
            raise LyceumError(f"{url} did not answer within {seconds:.0f} s.", f"Log: {log}")
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], *, patience: float = 8) -> None:
    """End a server in order, by force after `patience` seconds."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    # Workers outlive a server that was killed; each server leads a process group of its own.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
