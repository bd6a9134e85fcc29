"""A plan that outlives its command: `./lyceum plan ENV --out FILE`, looked at, then `./lyceum apply ENV --plan FILE`.

What was approved is what is done, or nothing is: the file says of which environment, account, commit and state it is,
and `apply` refuses it when any of them is another now. It is for its owner's eyes only, as a plan may hold secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lyceum_ops import aws
from lyceum_ops.changes import Plan
from lyceum_ops.errors import LyceumError, Refused, Usage, WrongPlace
from lyceum_ops.roots import Platform

FORMAT = 1
TOLD, PLANNED = "lyceum-plan.json", "terraform.tfplan"
# What Terraform reads of a checkout; the rest of a commit changes no plan, and is compared by the commit itself.
CODE = ("infra", "instance", "functions")
NOT_CODE = {".terraform", ".build", "tests", "__pycache__"}


@dataclass(frozen=True)
class Told:
    """What a saved plan says of itself."""

    format: int
    environment: str
    account: str
    commit: str  # "" outside of a git checkout
    code: str  # SHA-256 of what Terraform reads
    lineage: str  # of the state; "" where there was none yet
    serial: int
    made: str
    by: str
    counts: str
    lost: list[str]
    usd_month: str  # what it adds to the monthly bill, signed; "" where nothing was to be changed

    @property
    def summary(self) -> str:
        """One line, for whoever is to approve it."""
        if not self.usd_month:
            return f"nothing to change; at commit {self.commit[:12] or 'unknown'}"
        lost = f"DATA IS LOST: {', '.join(self.lost)}" if self.lost else "no data is lost"
        return f"{self.counts}; {lost}; {self.usd_month} US dollars a month; at commit {self.commit[:12] or 'unknown'}"


def save(file: Path, root: Platform, plan: Plan, *, checkout: Path, by: str, usd_month: str) -> Told:
    """Keep a plan in a file, readable by its owner alone."""
    lineage, serial = _state(root)
    told = Told(
        FORMAT, root.name, root.account, _commit(checkout), _code(checkout), lineage, serial,
        datetime.now(UTC).isoformat(timespec="seconds"), by, "nothing to change" if plan.empty else plan.counts(),
        sorted({change.address for change in plan.lost}), "" if plan.empty else usd_month,
    )  # fmt: skip
    half = file.with_name(f".{file.name}.part")
    try:
        half.unlink(missing_ok=True)
        with (
            os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink,
            zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as bundle,
        ):
            bundle.writestr(TOLD, json.dumps(asdict(told), indent=1))
            if not plan.empty:
                bundle.write(plan.file, PLANNED)
        half.replace(file)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise Usage(f"{file} cannot be written: {error.strerror}.", "Name another with --out.") from error
    return told


def read(file: Path) -> Told:
    """What a saved plan says of itself. Raises Usage for anything else."""
    try:
        with zipfile.ZipFile(file) as bundle:
            told = json.loads(bundle.read(TOLD))
    except FileNotFoundError as error:
        raise Usage(f"There is no file {file}.", "./lyceum plan ENV --out FILE makes one.") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Usage(f"{file} is no saved plan.", "./lyceum plan ENV --out FILE makes one.") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Usage(f"{file} is a saved plan of another version of this command.", "Plan again.")
    try:
        return Told(**told)
    except TypeError as error:
        raise Usage(f"{file} is no saved plan: {error}.", "Plan again.") from error


def require_same(told: Told, environment: str, *, account: str, checkout: Path) -> None:
    """Raise unless the plan is of this environment, this account and this very code."""
    if told.environment != environment:
        raise Refused(f"The plan is of {told.environment}, and {environment} is asked for.", "Nothing was done.")
    if told.account != account:
        raise WrongPlace(
            f"The plan is of account {told.account}, and these credentials are of {account}.", "Nothing was done."
        )
    commit = _commit(checkout)
    if told.commit != commit:
        raise Refused(
            f"The plan is of commit {told.commit[:12] or 'unknown'}, and this is {commit[:12] or 'unknown'}.",
            f"Nothing was done. Plan again: ./lyceum plan {environment} --out FILE.",
        )
    if told.code != _code(checkout):
        raise Refused(
            "The infrastructure's code was changed since the plan was made, and not committed.",
            f"Nothing was done. Plan again: ./lyceum plan {environment} --out FILE.",
        )


def restore(file: Path, told: Told, root: Platform) -> Plan:
    """The plan, where Terraform can apply it. Raises Refused when the state is another than it was planned on."""
    lineage, serial = _state(root)
    if (told.lineage, told.serial) != (lineage, serial):
        raise Refused(
            f"The state of {root.name} has changed since the plan was made ({told.made}): its serial was "
            f"{told.serial} and is {serial}. What was approved is no longer what would be done.",
            f"Nothing was done. Plan again: ./lyceum plan {root.name} --out FILE.",
        )
    target = root.work / f"{root.key}.tfplan"
    target.unlink(missing_ok=True)
    if told.usd_month == "":
        return Plan(target, (), empty=True)
    with zipfile.ZipFile(file) as bundle, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as sink:
        try:
            sink.write(bundle.read(PLANNED))
        except (KeyError, zipfile.BadZipFile) as error:
            raise Usage(f"{file} holds no whole plan.", "Plan again.") from error
    try:
        return Plan.read(target, root.root.show(target))
    except LyceumError:
        target.unlink(missing_ok=True)
        raise


def _state(root: Platform) -> tuple[str, int]:
    """Lineage and serial of the state that lies in the bucket now."""
    if root.is_new:
        return "", 0
    with aws.asking("s3"):
        found: Any = root.session.client("s3").get_object(
            Bucket=f"lyceum-state-{root.account}", Key=f"{root.key}.tfstate"
        )
        state = json.loads(found["Body"].read())
    return str(state.get("lineage", "")), int(state.get("serial", 0))


def _commit(checkout: Path) -> str:
    command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _code(checkout: Path) -> str:
    digest = hashlib.sha256()
    for folder in CODE:
        for file in sorted((checkout / folder).rglob("*")):
            inside = file.relative_to(checkout)
            if file.is_file() and not NOT_CODE & set(inside.parts) and ".tfstate" not in file.name:
                digest.update(f"{inside}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
