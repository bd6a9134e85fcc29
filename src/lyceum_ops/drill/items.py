"""Manifests of what is no database: a table of DynamoDB, a folder of files, a bucket with all its versions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
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


def of_objects_at(client: Any, bucket: str, *moments: datetime) -> list[Manifest]:
    """What a bucket that keeps versions held at each of these moments, byte for byte; each version is read once."""
    held: list[dict[str, str]] = [{} for _ in moments]
    passed = [set[str]() for _ in moments]
    with aws.asking("s3"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [(one, True) for one in page.get("Versions", [])]
            found += [(one, False) for one in page.get("DeleteMarkers", [])]
            for one, is_there in sorted(found, key=_youth, reverse=True):
                for number, moment in enumerate(moments):
                    if one["LastModified"] <= moment and one["Key"] not in passed[number]:
                        passed[number].add(one["Key"])
                        if is_there:
                            held[number][one["Key"]] = one["VersionId"]
        read = {
            (key, version): f"{key} {_sha256_of(client, bucket, key, version)}"
            for key, version in {pair for each in held for pair in each.items()}
        }
    return [{"objects": part((key, read[key, version]) for key, version in each.items())} for each in held]


def _youth(one: tuple[dict[str, Any], bool]) -> tuple[datetime, bool]:
    # S3 tells whole seconds: of two in one, the newest of all is the later.
    return one[0]["LastModified"], one[0]["IsLatest"]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(client: Any, bucket: str, key: str, version: str = "") -> str:
    digest = hashlib.sha256()
    which = {"VersionId": version} if version else {}
    for chunk in client.get_object(Bucket=bucket, Key=key, **which)["Body"].iter_chunks(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"DynamoDB has no {type(value).__name__}")
