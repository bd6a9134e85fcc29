"""Manifests of what is no database: a table of DynamoDB, a folder of files, a bucket with all its versions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lyceum_ops import aws
from lyceum_ops.drill.manifest import Manifest, part

CHUNK = 1024 * 1024


def of_table(client: Any, table: str, keys: tuple[str, ...] = ("pk", "sk")) -> Manifest:
    """Every item of a table, by its key."""

    def rows() -> Iterator[tuple[str, str]]:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                key = json.dumps([item.get(name) for name in keys], default=_plain)
                yield key, json.dumps(item, sort_keys=True, default=_plain)

    with aws.asking("dynamodb"):
        return {"items": part(rows())}


def of_folder(root: Path) -> Manifest:
    """Every file below a folder, by its path: the bytes count, not when they were written."""

    def rows() -> Iterator[tuple[str, str]]:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(root)), f"{path.relative_to(root)} {_sha256(path)}"

    return {"files": part(rows())}


def of_bucket(client: Any, bucket: str) -> Manifest:
    """What is there now, byte for byte; and of every key how many versions of which size, deletions counted."""
    versions: dict[str, list[str]] = {}
    current: list[tuple[str, str]] = []
    with aws.asking("s3"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                versions.setdefault(one["Key"], []).append(str(one["Size"]))
                if one["IsLatest"]:
                    current.append((one["Key"], f"{one['Key']} {_sha256_of(client, bucket, one['Key'])}"))
            for one in page.get("DeleteMarkers", []):
                versions.setdefault(one["Key"], []).append("deleted")
    # Their order is not compared: a copy's versions may be of one second, and S3 tells no more.
    told = ((key, key + json.dumps(sorted(found))) for key, found in versions.items())
    return {"objects": part(current), "versions": part(told)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(client: Any, bucket: str, key: str) -> str:
    digest = hashlib.sha256()
    for chunk in client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"DynamoDB has no {type(value).__name__}")
