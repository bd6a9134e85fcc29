"""Builds the Debian root that servers of the lab start from: once, from the machine's own apt sources.

No address stands here: where packages come from, by which proxy and with which keys, is what apt on this machine says.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lyceum_lab.cloud.servers import recipe
from lyceum_ops.errors import CommandFailed, DiskFull, LyceumError, MissingTool

NEEDED_BYTES = 3 * 2**30  # while it is built; half of that when it is done
KEPT_SECONDS = 2 * 24 * 3600
PATIENCE = 900  # seconds for one step
APT = Path("/etc/apt")


@dataclass(frozen=True)
class Image:
    """A finished root, read-only by agreement: machines lay their own layer over it."""

    root: Path

    @staticmethod
    def ensure(home: Path, *, say: Callable[[str], None] = lambda _: None) -> Image:
        """The root of the present recipe below `home`/images, built when it is not there.

        Two builds at once wait for each other; one that is cut short leaves nothing that counts. Raises LyceumError
        when this machine cannot build one.
        """
        folder = home / "images"
        root = folder / f"debian-12-{recipe.fingerprint()}"
        if root.is_dir():
            os.utime(root)
            return Image(root)
        require_tools()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if root.is_dir():
                return Image(root)
            for left in [*folder.glob("part-*"), *_outlived(folder)]:
                shutil.rmtree(left)
            free = shutil.disk_usage(folder).free
            if free < NEEDED_BYTES:
                raise DiskFull(
                    f"Only {free / 2**30:.1f} GiB are free in {folder}; the root of the servers needs "
                    f"{NEEDED_BYTES / 2**30:.0f} GiB.", "Free some space, or name another folder in LYCEUM_HOME.",
                )  # fmt: skip
            half = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
            try:
                half.chmod(0o755)
                _build(half, folder / "build.log", say)
                half.replace(root)
            except BaseException:
                shutil.rmtree(half, ignore_errors=True)
                raise
        return Image(root)


def _outlived(folder: Path) -> list[Path]:
    """Roots of other recipes that nobody has started from for a while: another checkout may share this folder."""
    return [root for root in folder.glob("debian-12-*") if time.time() - root.stat().st_mtime > KEPT_SECONDS]


def require_tools() -> None:
    """Raise MissingTool unless this is root on Linux with debootstrap and systemd-nspawn."""
    if os.geteuid() != 0:
        raise MissingTool("Servers boot in namespaces, which only root may make.", "Run it as root on Linux.")
    for program, package in (("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container")):
        if not shutil.which(program):
            raise MissingTool(f"{program} is not there.", f"Install it: apt-get install {package}")
    if not Path("/dev/fuse").exists():
        raise MissingTool("This kernel has no FUSE: /dev/fuse is not there.", "The shared files are mounted with it.")


def sources() -> list[str]:
    """This machine's apt sources for Debian 12, the main one first. Raises LyceumError when it has none."""
    listed = _run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        None,
    )
    found = dict.fromkeys(tuple(line.split()[:2]) for line in listed.splitlines() if len(line.split()) >= 2)
    main = [address for address, release in found if release == recipe.SUITE and not address.endswith("-security/")]
    if not main:
        raise LyceumError(
            f"apt on this machine has no source for Debian 12 ({recipe.SUITE}), or was never updated.",
            "Run apt-get update, on Debian 12.",
        )
    return main


def _build(root: Path, log: Path, say: Callable[[str], None]) -> None:
    log.write_text("")
    say("debootstrap, from this machine's apt sources (once)")
    _run(
        ["debootstrap", "--variant=minbase", f"--include={','.join(recipe.BASE)}", recipe.SUITE, str(root),
         sources()[0]],
        log,
    )  # fmt: skip
    _take_apt_settings(root)
    _refuse_to_start_services(root)
    say("installing packages")
    inside = ["chroot", str(root), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    _run([*inside, "apt-get", "update", "-q"], log)
    _run([*inside, "apt-get", "install", "-qy", "--no-install-recommends", *recipe.PACKAGES], log)
    _run([*inside, "apt-get", "clean"], log)
    _run([*inside, "systemctl", "mask", *recipe.MASKED], log)
    for name, text in recipe.FILES.items():
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"))
    for name, text in recipe.APPENDED.items():
        with (root / name.lstrip("/")).open("a") as file:
            file.write(text)
    for folder in (recipe.STANDINS, recipe.FROM_THE_LAB, "/opt/aws/amazon-cloudwatch-agent/etc"):
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    _forget_the_machine(root)


def _take_apt_settings(root: Path) -> None:
    """Sources, keys and proxy as on this machine, for as long as the root is built."""
    inside = root / "etc" / "apt"
    shutil.rmtree(inside)
    # What is set for some other machine's packages would be asked for in vain: sources of Debian only.
    shutil.copytree(APT, inside, symlinks=True)
    for source in [*(inside / "sources.list.d").glob("*"), inside / "sources.list"]:
        if source.is_file() and recipe.SUITE not in source.read_text(errors="replace"):
            source.unlink()
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copyfile(name, root / name.lstrip("/"))
    # Sources may name a key or a certificate by its path.
    named = "\n".join(path.read_text(errors="replace") for path in inside.rglob("*") if path.is_file())
    for path in dict.fromkeys(re.findall(r"(?<![\w/:.])/(?:etc|usr/share|usr/local)/[\w./+-]+", named)):
        if Path(path).is_file() and not (root / path.lstrip("/")).exists():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _refuse_to_start_services(root: Path) -> None:
    policy = root / "usr" / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (root / "etc" / "dpkg" / "dpkg.cfg.d" / "lyceum").write_text("force-unsafe-io\npath-exclude=/usr/share/doc/*\n")


def _forget_the_machine(root: Path) -> None:
    """What was this machine's own goes: its sources and names, and what would make all servers one."""
    shutil.rmtree(root / "etc" / "apt")
    (root / "etc" / "apt" / "sources.list.d").mkdir(parents=True)
    for name in ("usr/sbin/policy-rc.d", "etc/resolv.conf", "etc/hosts", "etc/hostname", "var/log/bootstrap.log"):
        (root / name).unlink(missing_ok=True)
    (root / "etc" / "machine-id").write_text("")
    for folder in ("var/lib/apt/lists", "var/cache/apt", "var/log/apt"):
        shutil.rmtree(root / folder, ignore_errors=True)


def _run(argv: list[str], log: Path | None) -> str:
    # In a session of its own, ended as a whole: debootstrap's children would outlive it.
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CommandFailed(f"{argv[0]} took longer than {PATIENCE} s.", f"Log: {log}") from error
            raise
    if log is not None:
        with log.open("a") as sink:
            sink.write(said)
    if process.returncode:
        wrong = [line for line in said.splitlines() if line.startswith(("E:", "W:", "chroot:"))] or said.splitlines()
        raise CommandFailed(
            f"{argv[0]} failed: {(wrong or ['it said nothing'])[0].strip()}", f"Log: {log}" if log else ""
        )
    return said
