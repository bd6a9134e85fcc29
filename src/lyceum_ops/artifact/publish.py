"""Writes an artifact into the bucket of releases under its version, once: a version never means anything else again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lyceum_ops import aws
from lyceum_ops.artifact.build import Artifact, sha256
from lyceum_ops.errors import Refused


def publish(artifact: Artifact, session: Any, bucket: str) -> bool:
    """Upload archive and manifest as `<version>/…`. Returns False when exactly these were there already.

    Raises Refused when the version is there with other bytes. Cut short, it may be run again. The manifest comes
    last: a server that finds one finds what it names.
    """
    s3, new = session.client("s3"), False
    for file in (artifact.archive, artifact.manifest):
        key = f"{artifact.version}/{file.name}"
        if _put(s3, bucket, key, file):
            new = True
        elif _stored_sha256(s3, bucket, key) != sha256(file):
            raise Refused(
                f"{bucket} holds another {key}: a version is written once.",
                "Commit what has changed: another commit is another version.",
            )
    return new


def _put(s3: Any, bucket: str, key: str, file: Path) -> bool:
    from botocore.exceptions import ClientError

    with aws.asking("s3"), file.open("rb") as body:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
        except ClientError as error:
            if aws.code(error) in {"PreconditionFailed", "412"}:
                return False
            raise
    return True


def _stored_sha256(s3: Any, bucket: str, key: str) -> str:
    digest = hashlib.sha256()
    with aws.asking("s3"):
        for chunk in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(2**20):
            digest.update(chunk)
    return digest.hexdigest()
