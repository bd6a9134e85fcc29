"""What is made ready before a scene and not filmed: a good release and a bad one, and a rule to take away.

Nothing here does what a scene then claims to do; the captions say what was prepared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lyceum_lab import paths
from lyceum_lab.delivery.workshop import Workshop, run
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
    place = Workshop.make(folder / "bad-release")
    place.git("apply", "--index", str(PATCH))
    place.git("commit", "--quiet", "--message", "Name the release in each answer.")
    built, version = place.built()
    env = {**os.environ, **infrastructure.aws_environment(there.emulator)}
    run(str(paths.CHECKOUT / "lyceum"), "publish", "dev", str(built), env=env)
    (folder / BAD).write_text(version)


def bad_version(folder: Path) -> str:
    """The version that `bad_release` published; "" when it published none."""
    kept = folder / BAD
    return kept.read_text() if kept.exists() else ""


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
