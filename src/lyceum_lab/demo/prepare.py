"""What is made ready before a scene and not filmed: a good release and a bad one, and a rule to take away.

Nothing here does what a scene then claims to do; the captions say what was prepared.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lyceum_lab import paths
from lyceum_lab.rehearsal import infrastructure
from lyceum_lab.rehearsal.state import State
from lyceum_ops.errors import LyceumError

BUCKET = "lyceum-dev-releases-123456789012"
ARCHIVE, MANIFEST = "lyceum.tar.gz", "manifest.sha256"
ACL, RULE = "lyceum-dev-data", 110
BAD, PATCH = "bad-release.txt", paths.CHECKOUT / "docs" / "demo" / "bad-release.patch"


def _client(there: State, service: str) -> Any:
    session = infrastructure.Session.of(infrastructure.aws_environment(there.emulator))
    return session.client(service)


def _versions(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return sorted({one["Key"].split("/")[0] for one in found if one["Key"].endswith(ARCHIVE)})


def _built(s3: Any) -> str:
    """The version that the rehearsal itself built."""
    return next(one for one in _versions(s3) if one[:1].isdigit())


def next_release(there: State, folder: Path) -> None:
    """The release that runs, once more, as `next`: what is shown is the way there, not what is new in it."""
    del folder
    s3 = _client(there, "s3")
    if "next" in _versions(s3):
        return
    for name in (ARCHIVE, MANIFEST):
        body = s3.get_object(Bucket=BUCKET, Key=f"{_built(s3)}/{name}")["Body"].read()
        s3.put_object(Bucket=BUCKET, Key=f"next/{name}", Body=body, IfNoneMatch="*")


def bad_release(there: State, folder: Path) -> None:
    """This checkout with the mistake of docs/demo/bad-release.patch, committed, built and published as any release."""
    clone, home, kept = folder / "bad-release", folder / "bad-home", folder / BAD
    for one in (clone, home):
        shutil.rmtree(one, ignore_errors=True)
    (home / "artifacts").mkdir(parents=True)
    (home / "wheels").symlink_to(paths.HOME / "wheels")
    _run("git", "clone", "--quiet", paths.CHECKOUT, clone)
    (clone / ".venv").symlink_to(paths.CHECKOUT / ".venv")
    (clone / ".git" / "info" / "exclude").write_text(".venv\n")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    _run("git", "-C", clone, "apply", "--index", PATCH)
    _run("git", "-C", clone, *who, "commit", "--quiet", "--message", "Name the release in each answer.")
    env = {**os.environ, **infrastructure.aws_environment(there.emulator), "LYCEUM_HOME": str(home)}
    _run(clone / "lyceum", "artifact", "--out", home / "artifacts", env=env)
    _run(paths.CHECKOUT / "lyceum", "publish", "dev", home / "artifacts", env={**env, "LYCEUM_HOME": str(paths.HOME)})
    (version,) = [path.name for path in (home / "artifacts").iterdir()]
    kept.write_text(version)


def bad_version(folder: Path) -> str:
    """The version that `bad_release` published; "" when it published none."""
    kept = folder / BAD
    return kept.read_text() if kept.exists() else ""


def _run(*words: str | Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(word) for word in words], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise LyceumError(f"{' '.join(map(str, words[:3]))} failed: {last}")


def rule(there: State, folder: Path) -> None:
    """The rule that the scene takes away is there; if an earlier take took it away, it is put back."""
    ec2, kept = _client(there, "ec2"), folder / "rule.json"
    acl = ec2.describe_network_acls(Filters=[{"Name": "tag:Name", "Values": [ACL]}])["NetworkAcls"][0]
    found = next((one for one in acl["Entries"] if one["Egress"] and one["RuleNumber"] == RULE), None)
    if found:
        kept.write_text(json.dumps(found))
        return
    try:
        ec2.create_network_acl_entry(NetworkAclId=acl["NetworkAclId"], **json.loads(kept.read_text()))
    except (OSError, ClientError) as error:
        raise LyceumError(f"Rule {RULE} of {ACL} is gone and cannot be put back: {error}") from error


ALL: dict[str, Callable[[State, Path], None]] = {
    "next_release": next_release,
    "bad_release": bad_release,
    "rule": rule,
}


def acl_id(there: State) -> str:
    """The network ACL of the data subnets."""
    found = _client(there, "ec2").describe_network_acls(Filters=[{"Name": "tag:Name", "Values": [ACL]}])
    return str(found["NetworkAcls"][0]["NetworkAclId"])
