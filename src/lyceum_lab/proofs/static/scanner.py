"""checkov over infra/ and over the plans, held against the skips in the code: `#checkov:skip=CKV_…:reason` in a block.

checkov reads a copy from which the skips are taken away, so that it tells everything. Whatever it finds must be skipped
beside its resource, with a reason; a skip that nothing needs any more is a finding too. Run by itself, `checkov -d
infra` reads the same comments.

It has an environment of its own: it pins a boto3 and a networkx much older than the platform's
(requirements/checkov.in).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyceum_lab import paths
from lyceum_lab.proofs import installed
from lyceum_lab.proofs.static.resources import plain
from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import die_with_parent

LOCK = paths.CHECKOUT / "requirements" / "checkov.txt"
SKIP = re.compile(r"^\s*#checkov:skip=(CKV\w+):(.*)$")
BLOCK = re.compile(r'^(resource|data|module) "([\w-]+)"(?: "([\w-]+)")? \{$')
# Nothing is asked of anybody: no rules, no newer version of itself.
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


@dataclass
class Block:
    """One block of a file: where it lies, what it makes ("aws_s3_bucket.this"), and its skips: check → reason."""

    file: str
    name: str
    begin: int
    end: int = 0
    skips: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A check that failed, at the block `name` in the file or folder `place`, both below infra/."""

    check: str
    what: str
    place: str
    name: str
    address: str
    line: int = 0


@dataclass
class Scan:
    """What checkov said of one kind of source."""

    passed: int
    findings: list[Finding]


def install(tools: Path) -> Path:
    """The checkov of the lock, installed once below `tools`. Raises MissingTool when that cannot be done."""
    return installed.install("checkov", LOCK, tools)


def blocks(infra: Path) -> list[Block]:
    """Every block of the code below `infra`, formatted as terraform fmt does it, with its skips."""
    found: list[Block] = []
    for path in sorted(infra.rglob("*.tf")):
        here: Block | None = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if opened := BLOCK.match(line):
                name = ".".join(filter(None, opened.group(2, 3)))
                here = Block(str(path.relative_to(infra)), name, number)
                found.append(here)
            elif line == "}" and here:
                here.end, here = number, None
            elif said := SKIP.match(line):
                if here is None:
                    raise LyceumError(f"{path}:{number}: a skip of checkov's stands in no block.", "Move it into one.")
                here.skips[said[1]] = said[2].strip()
    return found


def copy_without_skips(infra: Path, target: Path) -> None:
    """A copy for checkov; its lines keep their numbers."""
    shutil.copytree(infra, target, ignore=shutil.ignore_patterns(".terraform", "tests", "mocks"))
    for path in target.rglob("*.tf"):
        path.write_text("\n".join("" if SKIP.match(line) else line for line in path.read_text().split("\n")))


def scan_code(binary: Path, copy: Path) -> Scan:
    """checkov over code."""
    answer = _run(binary, copy.parent, "-d", str(copy), "--framework", "terraform")[0]
    found = [
        Finding(one["check_id"], one["check_name"], one["file_path"].lstrip("/"), "", one["resource"],
                one["file_line_range"][0])
        for one in answer["results"]["failed_checks"]
    ]  # fmt: skip
    return Scan(answer["summary"]["passed"], found)


def scan_plans(binary: Path, roots: Mapping[Path, str], infra: Path) -> Scan:
    """checkov over plans shown as JSON: file → the root below `infra` that it is of."""
    files = [word for path in roots for word in ("-f", str(path))]
    answer = _run(binary, next(iter(roots)).parent, *files, "--framework", "terraform_plan")[0]
    folders = _Folders(infra)
    kinds = {path.name: root for path, root in roots.items()}
    found = []
    for one in answer["results"]["failed_checks"]:
        place, name = folders.of(kinds[one["file_path"].lstrip("/")], one["resource"])
        found.append(Finding(one["check_id"], one["check_name"], place, name, one["resource"]))
    return Scan(answer["summary"]["passed"], found)


def judge(findings: Iterable[Finding], known: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """Each finding and each skip as (address, what is wrong), "" where a finding is skipped with a reason."""
    there = list(known)
    used: set[tuple[str, str, str]] = set()
    # dev and prod are of the same code, and so are a module's uses.
    for one in {(f.check, f.place, f.name, f.line): f for f in findings}.values():
        block = _block(one, there)
        reason = block.skips.get(one.check, "") if block else ""
        if block and one.check in block.skips:
            used.add((block.file, block.name, one.check))
        yield f"{one.address} {one.check}", "" if reason else f"{one.what} (in {one.place})"
    for block in there:
        for check, reason in block.skips.items():
            if not reason:
                yield f"{block.file} {block.name} {check}", "is skipped without a reason"
            elif (block.file, block.name, check) not in used:
                yield f"{block.file} {block.name} {check}", "is skipped, and checkov has nothing against it"


def _block(finding: Finding, known: list[Block]) -> Block | None:
    for block in known:
        if finding.line:
            if block.file == finding.place and block.begin <= finding.line <= block.end:
                return block
        elif str(Path(block.file).parent) == finding.place and block.name == finding.name:
            return block
    return None


class _Folders:
    """Which folder below infra/ a module's address leads to."""

    SOURCE = re.compile(r'^module "([\w-]+)" \{\n(?:.*\n)*?  source += "([^"]+)"', re.MULTILINE)

    def __init__(self, infra: Path) -> None:
        self.infra = infra

    def of(self, root: str, address: str) -> tuple[str, str]:
        """The folder below infra/ and the block's name of a planned resource."""
        parts = plain(address).split(".")
        folder = self.infra / root
        while parts[0] == "module":
            text = "\n".join(path.read_text() for path in sorted(folder.glob("*.tf")))
            folder = (folder / dict(self.SOURCE.findall(text))[parts[1]]).resolve()
            parts = parts[2:]
        return str(folder.relative_to(self.infra.resolve())), ".".join(parts[-2:])


def _run(binary: Path, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """checkov's answers, one a framework. Raises LyceumError when it cannot read the code or answers in no JSON."""
    # No key of a platform of theirs, no configuration of the user's.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("BC_", "PRISMA_", "CHECKOV_", "CKV_"))} | OFFLINE
    done = subprocess.run(
        [str(binary), *arguments, "--skip-download", "--quiet", "--compact", "--output", "json"],
        cwd=folder, env={**env, "LOG_LEVEL": "ERROR", "HOME": str(folder)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, preexec_fn=die_with_parent(),
    )  # fmt: skip
    try:
        said = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise LyceumError(f"checkov ended with {done.returncode} and said: {last[:200]}", "Run it by hand.") from None
    answers = said if isinstance(said, list) else [said]
    if not answers or "results" not in answers[0]:
        raise LyceumError("checkov looked at nothing.", "Run it by hand.")
    if unread := sum(answer["summary"]["parsing_errors"] for answer in answers):
        raise LyceumError(f"checkov cannot read {unread} of the files, and so says nothing of what is in them.",
                          "Write it more plainly: it does not know all of Terraform's language.")  # fmt: skip
    return answers
