"""Buckets that a drill made: which there are, and how they go with all that is in them."""

from __future__ import annotations

from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.stores import require_mark
from lyceum_ops.errors import LyceumError

# What S3 says of a bucket that is gone, of one that is not yet empty, and of objects that it will delete another time.
GONE, BUSY, LATER = {"404", "NoSuchBucket"}, {"BucketNotEmpty", "OperationAborted"}, {"InternalError", "SlowDown"}


def make(s3: Any, name: str) -> None:
    """An empty one, in the client's region."""
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with aws.asking("s3"):
        s3.create_bucket(Bucket=require_mark(name), **where)


def left(s3: Any, prefix: str, suffix: str) -> list[str]:
    """The copies' buckets of one kind. S3 lists for a while what it has deleted: each is asked for."""
    with aws.asking("s3"):
        names = [str(one["Name"]) for page in s3.get_paginator("list_buckets").paginate() for one in page["Buckets"]]
    return [name for name in names if name.startswith(prefix) and name.endswith(suffix) and _is_there(s3, name)]


def _is_there(s3: Any, name: str) -> bool:
    try:
        with aws.asking("s3"):
            s3.head_bucket(Bucket=name)
    except LyceumError as error:
        if aws.code(error) in GONE:
            return False
        raise
    return True


def remove(s3: Any, name: str, pace: Pace) -> None:
    """A copy with all that is in it. AWS Backup may still be writing to it, and cannot be told to stop."""
    require_mark(name)

    def gone() -> bool:
        try:
            with aws.asking("s3"):
                _empty(s3, name)
                s3.delete_bucket(Bucket=name)
        except LyceumError as error:
            if aws.code(error) in BUSY:
                return False
            if aws.code(error) not in GONE:
                raise
        return True

    pace.wait(f"{name} could not be emptied", pace.from_vault, gone)


def _empty(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if not named:
            continue
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": named, "Quiet": True})
        if refused := [one for one in answer.get("Errors", []) if one["Code"] not in LATER]:
            raise LyceumError(f"S3 does not delete {refused[0]['Key']} in {name}: {refused[0]['Code']}.")
