"""Buckets that a drill made: which there are, and how they go with all that is in them."""

from __future__ import annotations

from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.stores import require_mark


def make(s3: Any, name: str) -> None:
    """An empty one, in the client's region."""
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with aws.asking("s3"):
        s3.create_bucket(Bucket=require_mark(name), **where)


def left(s3: Any, prefix: str, suffix: str) -> list[str]:
    """The copies' buckets of one kind."""
    with aws.asking("s3"):
        names = [str(one["Name"]) for page in s3.get_paginator("list_buckets").paginate() for one in page["Buckets"]]
    return [name for name in names if name.startswith(prefix) and name.endswith(suffix)]


def remove(s3: Any, name: str, pace: Pace) -> None:
    """A copy with all that is in it. AWS Backup may still be writing to it, and cannot be told to stop."""
    require_mark(name)

    def gone() -> bool:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if named:
                s3.delete_objects(Bucket=name, Delete={"Objects": named, "Quiet": True})
        try:
            s3.delete_bucket(Bucket=name)
        except s3.exceptions.ClientError as error:
            if aws.code(error) == "BucketNotEmpty":
                return False
            raise
        return True

    with aws.asking("s3"):
        pace.wait(f"{name} could not be emptied", pace.from_vault, gone)
