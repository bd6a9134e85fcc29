"""Manifests of what is no database: a table of DynamoDB, a folder of files, a bucket with all its versions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Version:
    """One version of an object, or the mark of its deletion, which has no size. `at` is in whole seconds."""

    key: str
    id: str
    at: datetime
    latest: bool
    size: int | None


def versions(client: Any, bucket: str) -> list[Version]:
    """Every version and every mark of a deletion, of each key the newest first."""
    found = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found += [
            Version(one["Key"], one["VersionId"], one["LastModified"], one["IsLatest"], one.get("Size"))
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
    # Of two in one second, the newest of all is the later.
    return sorted(found, key=lambda one: (one.at, one.latest), reverse=True)


def of_bucket(client: Any, bucket: str) -> Manifest:
    """What is there now, byte for byte; and of every key how many versions of which size, deletions counted."""
    sizes: dict[str, list[str]] = {}
    current: list[tuple[str, str]] = []
    with aws.asking("s3"):
        for one in versions(client, bucket):
            sizes.setdefault(one.key, []).append("deleted" if one.size is None else str(one.size))
            if one.latest and one.size is not None:
                current.append((one.key, _object(client, bucket, one.key, one.id)))
    # Their order is not compared: a copy's versions may be of one second, and S3 tells no more.
    told = ((key, key + json.dumps(sorted(found))) for key, found in sizes.items())
    return {"objects": part(current), "versions": part(told)}


def of_objects_at(client: Any, bucket: str, *moments: datetime) -> list[Manifest]:
    """What a bucket that keeps versions held at each of these moments, byte for byte; each version is read once."""
    read: dict[tuple[str, str], str] = {}
    found: list[Manifest] = []
    with aws.asking("s3"):
        listed = versions(client, bucket)
        for moment in moments:
            then: dict[str, Version] = {}
            for one in listed:
                if one.at <= moment:
                    then.setdefault(one.key, one)
            held = [one for one in then.values() if one.size is not None]
            for one in held:
                if (one.key, one.id) not in read:
                    read[one.key, one.id] = _object(client, bucket, one.key, one.id)
            found.append({"objects": part((one.key, read[one.key, one.id]) for one in held)})
    return found


def _object(client: Any, bucket: str, key: str, version: str) -> str:
    digest = hashlib.sha256()
    for chunk in client.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].iter_chunks(CHUNK):
        digest.update(chunk)
    return f"{key} {digest.hexdigest()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"DynamoDB has no {type(value).__name__}")
