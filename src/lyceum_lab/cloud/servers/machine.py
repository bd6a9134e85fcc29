"""One server of the lab: a layer over the Debian root, booted by systemd-nspawn inside its host's network namespace.

Its mounts live in a mount namespace of the process that boots it and vanish with it, however that ends. Its processes
are found by its control group and its files below its folder, so that `clean` needs no memory of who made them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lyceum_lab.cloud.servers import cgroups, recipe
from lyceum_lab.cloud.servers.image import Image, require_tools
from lyceum_lab.rehearsal.state import MARK
from lyceum_ops.errors import CommandFailed, DiskFull, LyceumError

STANDINS = Path(__file__).resolve().parents[1] / "standins"
# What a t2.micro has.
GIBIBYTE = 2**30
CPUS = 1.0
NEEDED_BYTES = 600 * 2**20  # what a server writes while it installs a release
BOOT_SECONDS = 20
# Mounts are the process's own: it is the machine's init that ends them.
START = """set -eu
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
shift 2
exec systemd-nspawn "$@"
"""


@dataclass
class Machine:
    """A booted server. `console` is what its console showed, `measured` what the lab tells it about itself."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]
    groups: cgroups.Groups

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    @property
    def measured(self) -> Path:
        return self.folder / "measured"

    @staticmethod
    def boot(
        image: Image,
        home: Path,
        *,
        name: str,
        namespace: Path,
        resolver: str,
        authority: str = "",
        agent: Mapping[str, str] | None = None,
    ) -> Machine:
        """Start a machine in `home`/`name` and return when its systemd runs; its user data may still be at work.

        `namespace` is the network namespace's file, `resolver` the address of its DNS, `authority` a certificate (PEM)
        that it shall trust, `agent` the environment of the stand-in for the CloudWatch agent. Raises LyceumError when
        it does not boot.
        """
        require_tools()
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
            raise LyceumError(f"{name!r} is no host name.", "Use a to z, 0 to 9 and -, 63 at most.")
        if not namespace.exists():
            raise LyceumError(f"There is no network namespace {namespace}.", "Make it before the server boots.")
        folder = home / name
        if folder.exists():
            raise LyceumError(f"A machine named {name} is there already.", f"Its folder is {folder}.")
        home.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(home).free < NEEDED_BYTES:
            raise DiskFull(f"Less than {NEEDED_BYTES // 2**20} MiB are free in {home}.", "Free some space.")
        for each in ("upper", "work", "root", "measured"):
            (folder / each).mkdir(parents=True)
        try:
            _write_layer(image.root, folder / "upper", name, resolver, authority)
        except BaseException:
            remove(folder)
            raise
        (folder / "measured" / "agent.env").write_text("".join(f"{k}={v}\n" for k, v in (agent or {}).items()))
        groups = cgroups.Groups.make(home, name, memory_bytes=GIBIBYTE, cpus=CPUS)
        argv = [
            "unshare", "--mount", "--propagation", "private", "sh", "-c", START, "sh", str(image.root), str(folder),
            "--quiet", "--boot", f"--directory={folder / 'root'}", f"--machine={name}", f"--uuid={uuid.uuid4()}",
            f"--network-namespace-path={namespace}", "--register=no", "--keep-unit", "--console=read-only",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--bind=/dev/fuse",
            f"--bind={folder / 'measured'}:{recipe.FROM_THE_LAB}", "--kill-signal=SIGRTMIN+3",
        ]  # fmt: skip
        with (folder / "console.log").open("wb") as console:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), MARK: os.environ.get(MARK, str(home))},
                preexec_fn=groups.join,
            )  # fmt: skip
        machine = Machine(name, folder, process, groups)
        try:
            machine._wait_for_systemd()
        except BaseException:
            machine.kill()
            raise
        return machine

    def _wait_for_systemd(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            if self.process.poll() is not None:
                raise LyceumError(f"{self.name} did not boot: {self.last_words()}", f"Console: {self.console}")
            if self.leader and self.exec("test", "-S", "/run/systemd/private").returncode == 0:
                return
            if time.monotonic() > deadline:
                raise LyceumError(
                    f"{self.name} did not boot within {BOOT_SECONDS} s: {self.last_words()}",
                    f"Console: {self.console}",
                )
            time.sleep(0.05)

    @property
    def leader(self) -> int | None:
        """The process that is number 1 inside, by its number outside; None when there is none."""
        return _leader(self.groups)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def exec(self, *command: str, seconds: float = 60, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command inside as root, with none of the caller's environment. Raises LyceumError past `seconds`."""
        try:
            return subprocess.run(
                self.argv(*command), input=stdin, capture_output=True, text=True, errors="replace", check=False,
                timeout=seconds, preexec_fn=self.groups.join,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{command[0]} on {self.name} took longer than {seconds:.0f} s.") from error

    def argv(self, *command: str) -> list[str]:
        """How this command is run inside from outside. Raises LyceumError when the machine is not running."""
        return _inside(self.name, self.groups, f"{self.last_words()}", *command)

    def wait_for_user_data(self, seconds: float = 180) -> bool:
        """Return when cloud-init is through: whether it ended well. Raises LyceumError past `seconds`."""
        done = self.exec("cloud-init", "status", "--wait", seconds=seconds)
        return done.returncode == 0

    def cpu_seconds(self) -> float:
        """CPU time that all its processes have used since it booted, in seconds."""
        return self.groups.cpu_seconds()

    def pss_bytes(self) -> int:
        """Memory of all its processes: what is shared counts for each by its share. Page cache does not count."""
        total = 0
        for pid in self.groups.pids():
            if pid == self.process.pid:
                continue  # systemd-nspawn itself is not of the machine
            with suppress(OSError):
                found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
                total += int(found[1]) * 1024 if found else 0
        return total

    def report_memory(self) -> float:
        """Tell the agent's stand-in how much memory is in use, in percent of what it has. Returns that."""
        percent = 100 * self.pss_bytes() / GIBIBYTE
        half = self.measured / ".memory"
        half.write_text(f"{percent:.3f}\n")
        half.replace(self.measured / "memory")
        return percent

    def last_words(self) -> str:
        """The last line of the console."""
        with suppress(OSError):
            lines = [line.strip() for line in self.console.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", lines[-1])
        return "it said nothing"

    def terminate(self, *, patience: float = 60, keep_console: bool = False) -> None:
        """Shut down in order, by force after `patience` seconds, and remove all it had (the console on request)."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=patience)
        self.kill(keep_console=keep_console)

    def kill(self, *, keep_console: bool = False) -> None:
        """End it at once, as by pulling the plug, and remove all it had."""
        cgroups.clean(self.folder.parent, self.name)
        if self.running:
            self.process.kill()
        self.process.wait()
        remove(self.folder, keep_console=keep_console)


def inside(home: Path, name: str, *command: str) -> list[str]:
    """How a command is run in the machine `name` below `home`, whoever booted it. Raises LyceumError without one."""
    return _inside(name, cgroups.Groups.of(home, name), "there is none of that name", *command)


def _inside(name: str, groups: cgroups.Groups, otherwise: str, *command: str) -> list[str]:
    leader = _leader(groups)
    if leader is None:
        raise LyceumError(f"{name} is not running: {otherwise}")
    return [
        "nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
        "--wd", "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
        "LC_ALL=C.UTF-8", f"TERM={os.environ.get('TERM', 'dumb')}", f"AWS_CA_BUNDLE={recipe.BUNDLE}", *command,
    ]  # fmt: skip


def _leader(groups: cgroups.Groups) -> int | None:
    for pid in groups.pids():
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            numbers = re.search(r"^NSpid:\s+(.*)$", status, re.MULTILINE)
            if numbers and len(within := numbers[1].split()) > 1 and within[-1] == "1":
                return pid
    return None


def remove(folder: Path, *, keep_console: bool = False) -> None:
    """Delete a machine's folder, and what systemd-nspawn keeps by its name when it was killed."""
    with suppress(OSError):
        (Path("/run/systemd/nspawn/propagate") / folder.name).rmdir()
    if keep_console:
        for each in ("upper", "work", "root", "measured"):
            shutil.rmtree(folder / each, ignore_errors=True)
    elif folder.exists():  # ended a second time, it is gone
        shutil.rmtree(folder)


def clean(home: Path) -> int:
    """End every machine below `home`, whoever booted it, and remove their folders. Returns how many processes ended."""
    ended = cgroups.clean(home)
    if home.is_dir():
        for folder in home.iterdir():
            if (folder / "upper").is_dir():
                remove(folder)
    return ended


def _write_layer(root: Path, upper: Path, name: str, resolver: str, authority: str) -> None:
    """What makes this machine itself, in the layer over the root; before it boots."""
    upper.chmod(0o755)
    etc = upper / "etc"
    etc.mkdir()
    (etc / "hostname").write_text(f"{name}\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    (etc / "resolv.conf").write_text(f"nameserver {resolver}\noptions timeout:2 attempts:2\n")
    if authority:
        _trust(root, upper, authority)
    agent, mount = STANDINS / "cloudwatch_agent.py", STANDINS / "mount.efs"
    if agent.exists():
        _install(agent, upper / recipe.STANDINS.lstrip("/") / agent.name, 0o644)
    _install(mount, upper / "usr" / "sbin" / "mount.efs", 0o755)


def _install(source: Path, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _trust(root: Path, upper: Path, authority: str) -> None:
    """What update-ca-certificates would do, without running it: the bundle, and the name by which OpenSSL looks."""
    bundle = upper / recipe.BUNDLE.lstrip("/")
    bundle.parent.mkdir(parents=True)
    bundle.write_text((root / recipe.BUNDLE.lstrip("/")).read_text().rstrip("\n") + "\n" + authority.strip() + "\n")
    named = subprocess.run(
        ["chroot", str(root), "openssl", "x509", "-noout", "-subject_hash"],
        input=authority, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if named.returncode:
        raise LyceumError("The authority given to the servers is no certificate (PEM).", named.stderr.strip()[:200])
    certificate = bundle.parent / f"{named.stdout.strip()}.0"
    certificate.write_text(authority)
