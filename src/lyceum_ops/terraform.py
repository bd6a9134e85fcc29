"""Terraform, kept: which binary runs, where the AWS provider comes from, and how a root is applied.

Everything that runs Terraform in this project goes through `Terraform` and `Root`, so that the environment, the
provider's source and the way of reporting progress are the same on a laptop, in CodeBuild and in the tests.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyceum_ops.errors import CommandFailed, MissingTool
from lyceum_ops.processes import die_with_parent

MINIMUM = (1, 11, 0)
PINNED = "1.11.4"
PUBLISHER = "https://releases.hashicorp.com"
PROVIDER = "registry.terraform.io/hashicorp/aws"
# The implied mirrors of Terraform itself, then the folders where an image's author would put one.
MIRROR_PARENTS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt",
    "/opt/*",
    "/usr/local/lib/*",
    "/usr/local/share/*",
    "/usr/lib/*",
    "/usr/share/*",
    "/var/lib/*",
)


@dataclass(frozen=True)
class Inputs:
    """Where a root's variables come from; what is named later wins, as with Terraform."""

    files: tuple[Path, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        return [f"-var-file={file}" for file in self.files] + [f"-var={n}={v}" for n, v in self.values.items()]


NO_INPUTS = Inputs()

Event = dict[str, Any]
Listener = Callable[[Event], None]


def version_of(binary: Path) -> tuple[int, int, int]:
    """The version a Terraform binary reports. Raises MissingTool when it does not run."""
    try:
        done = subprocess.run(
            [str(binary), "version", "-json"], capture_output=True, text=True, timeout=30, check=True, env=_quiet_env()
        )
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", json.loads(done.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise MissingTool(f"{binary} does not answer `version -json`.", "Is it Terraform?") from error
    if not found:
        raise MissingTool(f"{binary} reports no version.")
    return int(found[1]), int(found[2]), int(found[3])


def find(tools: Path, *, publisher: str | None = None, say: Callable[[str], None] = lambda _: None) -> Path:
    """A Terraform of at least `MINIMUM`: the one on the PATH, the one kept in `tools`, or the pinned release.

    The release is fetched from `publisher` (LYCEUM_TERRAFORM_RELEASES, else HashiCorp), its SHA-256 held against
    the published list before it is unpacked. Raises MissingTool with one line that says what to install.
    """
    wanted = ".".join(map(str, MINIMUM[:2]))
    on_path = shutil.which("terraform")
    reason = "No Terraform is on the PATH"
    if on_path:
        have = version_of(Path(on_path))
        if have >= MINIMUM:
            return Path(on_path)
        reason = f"Terraform {'.'.join(map(str, have))} on the PATH is older than {wanted}"
    kept = tools / f"terraform-{PINNED}" / "terraform"
    if kept.exists():
        return kept
    base = publisher or os.environ.get("LYCEUM_TERRAFORM_RELEASES") or PUBLISHER
    say(f"{reason}; fetching {PINNED} from {base}")
    try:
        return _fetch(base, kept)
    except (OSError, zipfile.BadZipFile) as error:
        raise MissingTool(
            f"{reason}, and {PINNED} could not be fetched from {base} ({error}).",
            f"Install Terraform {wanted} or newer and put it on the PATH.",
        ) from error


def _fetch(base: str, target: Path) -> Path:
    system = platform.system().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    name = f"terraform_{PINNED}_{system}_{machine}.zip"
    folder = f"{base.rstrip('/')}/terraform/{PINNED}"
    sums = _get(f"{folder}/terraform_{PINNED}_SHA256SUMS").decode("utf-8", "replace")
    published = next((line.split()[0] for line in sums.splitlines() if line.split()[1:] == [name]), None)
    if published is None:
        raise MissingTool(f"{base} publishes no {name}.", "Install Terraform by hand and put it on the PATH.")
    archive = _get(f"{folder}/{name}")
    actual = hashlib.sha256(archive).hexdigest()
    if actual != published:
        raise MissingTool(
            f"{name} has SHA-256 {actual[:12]}…, its publisher lists {published[:12]}…; nothing was installed.",
            "Something between here and the publisher alters downloads: find out before going on.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")
    with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
        half.write_bytes(bundle.read("terraform"))
    half.chmod(0o755)
    half.replace(target)
    return target


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise MissingTool(f"{url} is neither https nor on this machine.", "Mend LYCEUM_TERRAFORM_RELEASES.")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the scheme is checked above
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise OSError(f"HTTP {error.code} for {url}") from error


def provider_mirror() -> Path | None:
    """The folder of a local provider mirror that holds the AWS provider, or None when the registry has to serve."""
    for pattern in MIRROR_PARENTS:
        parent = Path(pattern).expanduser()
        tails = [parent] if "*" not in pattern else sorted(parent.parent.glob(parent.name))
        for folder in tails:
            try:
                if any((folder / PROVIDER).iterdir()):
                    return folder
            except OSError:
                continue
    return None


def write_cli_config(folder: Path) -> Path:
    """Terraform's CLI configuration: the local mirror where there is one, else the registry. Returns its path."""
    mirror = provider_mirror()
    if mirror:
        # Only this provider comes from the mirror, and only from there: a half-reachable registry cannot stall us.
        text = (
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["hashicorp/aws"]\n  }}\n'
            '  direct {\n    exclude = ["hashicorp/aws"]\n  }\n}\n'
        )
    else:
        text = "provider_installation {\n  direct {}\n}\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terraform.rc"
    path.write_text("disable_checkpoint = true\n" + text)
    return path


def _quiet_env() -> dict[str, str]:
    # A machine may name a CLI configuration that does not exist; Terraform then warns at every call.
    env = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    env["CHECKPOINT_DISABLE"] = "1"
    return env


@dataclass(frozen=True)
class Terraform:
    """One Terraform binary with its CLI configuration and the environment (credentials, endpoint) of its children."""

    binary: Path
    cli_config: Path
    env: Mapping[str, str]

    @classmethod
    def prepare(
        cls, tools: Path, *, env: Mapping[str, str] | None = None, say: Callable[[str], None] = lambda _: None
    ) -> Terraform:
        """Find or fetch Terraform, write its CLI configuration into `tools`. Raises MissingTool."""
        return cls(find(tools, say=say), write_cli_config(tools), dict(env or {}))

    def environment(self) -> dict[str, str]:
        """The whole environment of a Terraform process: this one's without its TF_ settings, ours on top."""
        return {
            **_quiet_env(),
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            **self.env,
        }


class Tally:
    """How far an apply is, from Terraform's own events."""

    def __init__(self) -> None:
        self.planned = 0
        self.done: Counter[str] = Counter()

    def add(self, event: Event) -> None:
        match event.get("type"):
            case "planned_change" if event["change"]["action"] not in {"noop", "read"}:
                # A replacement completes twice: once destroyed, once created.
                self.planned += 2 if event["change"]["action"] == "replace" else 1
            case "apply_complete" if event["hook"]["action"] not in {"noop", "read"}:
                self.done[event["hook"]["action"]] += 1

    def __str__(self) -> str:
        return f"{sum(self.done.values())} of {self.planned} resources" if self.planned else "planning"


@dataclass
class Root:
    """A Terraform root in a folder, and the log to which every command and its output go.

    `patience` is how many seconds an interrupted Terraform gets to finish what it has begun and to write its state.
    """

    terraform: Terraform
    folder: Path
    log: Path
    patience: float = 8

    def init(self, *, backend: Mapping[str, str] | None = None, migrate: bool = False) -> None:
        """`terraform init`; `backend` gives the partial configuration, `migrate` moves the state there unasked."""
        self.run(
            "init",
            "-no-color",
            # Terraform has no machine-readable form of a migration.
            *(["-migrate-state", "-force-copy"] if migrate else ["-json"]),
            *[f"-backend-config={key}={value}" for key, value in (backend or {}).items()],
        )

    def plan(self, out: Path, *, inputs: Inputs = NO_INPUTS, destroy: bool = False,
             listener: Listener = lambda _: None, parallelism: int = 10) -> None:  # fmt: skip
        """Plan into the file `out`, which may hold secrets. `listener` gets Terraform's machine-readable events."""
        self.run(
            "plan",
            "-json",
            f"-out={out}",
            f"-parallelism={parallelism}",
            *(["-destroy"] if destroy else []),
            *inputs.arguments(),
            listener=listener,
        )

    def apply(self, plan: Path, *, listener: Listener = lambda _: None, parallelism: int = 10) -> None:
        """Do exactly what a plan says."""
        self.run("apply", "-json", f"-parallelism={parallelism}", str(plan), listener=listener)

    def plan_is_empty(self, *, inputs: Inputs = NO_INPUTS) -> bool:
        """Whether a plan against the live state would change nothing."""
        code = self.run("plan", "-json", "-detailed-exitcode", *inputs.arguments(), accept=(0, 2))
        return code == 0

    def show(self, plan: Path | None = None) -> dict[str, Any]:
        """A plan, or the state, as Terraform's JSON representation of it. It may hold secrets: it goes into no log."""
        found: dict[str, Any] = json.loads(self._read("show", "-json", *([str(plan)] if plan else [])))
        return found

    def outputs(self) -> dict[str, Any]:
        """The root's outputs by name, as plain values."""
        return {name: item["value"] for name, item in json.loads(self._read("output", "-json", "-no-color")).items()}

    def _read(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.terraform.binary), *arguments],
            cwd=self.folder,
            env=self.terraform.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.split())
            raise CommandFailed(
                f"terraform {arguments[0]} of {self.folder.name} failed: {said[:400]}", errors=(done.stderr,)
            )
        return done.stdout

    def run(self, *arguments: str, listener: Listener = lambda _: None, accept: Iterable[int] = (0,)) -> int:
        """Run one Terraform command, its output into the log. Raises CommandFailed with Terraform's own error."""
        errors: list[str] = []
        plain: list[str] = []
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # Into a file and not a pipe: a pipe breaks when its reader is killed, and Terraform would die of it before it
        # has written its state and removed its lock.
        with self.log.open("a", encoding="utf-8") as log, tempfile.TemporaryFile(dir=self.log.parent) as said:
            log.write(f"$ terraform {' '.join(arguments)}   ({self.folder.name})\n")
            log.flush()
            process = subprocess.Popen(
                [str(self.terraform.binary), *arguments],
                cwd=self.folder,
                env=self.terraform.environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                # Its own session: Ctrl-C reaches the one who runs it, and that one ends it in order.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
            try:
                for line in _lines(process, said.fileno()):
                    event = _event(line)
                    log.write((event.get("@message", line.rstrip()) if event else line.rstrip()) + "\n")
                    log.flush()
                    if event is None:
                        if plain or line.startswith(("│ Error", "Error", "Failed")):
                            plain.append(line.strip("│╵ \n"))
                        continue
                    if event.get("type") == "diagnostic" and event.get("diagnostic", {}).get("severity") == "error":
                        found = event["diagnostic"]
                        errors.append(f"{found.get('summary', '')} {found.get('detail', '')}".strip())
                        log.write(json.dumps(found) + "\n")
                    listener(event)
                code = process.wait()
            except BaseException:
                _end(process, self.patience)
                raise
        if plain:
            errors.append("\n".join(plain))
        if code not in set(accept):
            first = " ".join(errors[0].split())[:400] if errors else f"exit code {code}"
            raise CommandFailed(
                f"terraform {arguments[0]} of {self.folder.name} failed: {first}", f"Log: {self.log}", tuple(errors)
            )
        return code


def _event(line: str) -> Event | None:
    if not line.startswith("{"):
        return None
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _lines(process: subprocess.Popen[bytes], file: int) -> Iterator[str]:
    """What the process writes into the file, line by line as it comes, until it ends."""
    half, at = b"", 0
    while True:
        ended = process.poll() is not None
        # Reading at a place of its own: the process writes where the file's own place is.
        while chunk := os.pread(file, 2**16, at):
            at += len(chunk)
            *whole, half = (half + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if ended:
            if half:
                yield half.decode("utf-8", "replace")
            return
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Interrupt Terraform so that it writes its state, then end it with its providers if it does not stop."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
