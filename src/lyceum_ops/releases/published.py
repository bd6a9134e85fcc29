"""The artifacts of an environment: s3://lyceum-<env>-releases-<account>/<version>/, written once, checked before use.

A server checks the same manifest before it runs anything (instance/user-data.sh.tftpl); here it is checked before a
server is launched for nothing.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from lyceum_ops import aws
from lyceum_ops.artifact import ARCHIVE, MANIFEST, Artifact, publish, sha256
from lyceum_ops.errors import LyceumError, Refused, Usage

# As the servers' user data reads the tag; "none" is the tag of a server that waits for its first release.
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
NO_RELEASE = "none"
CHUNK = 2**20


def require_version(version: str) -> str:
    """The version as it was given. Raises Usage for what is no name of a release."""
    if not VERSION.fullmatch(version) or version == NO_RELEASE:
        raise Usage(
            f"{version!r} is no version of a release.", "It is 1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', as 1.4.0."
        )
    return version


class Published:
    """The artifacts of one environment."""

    def __init__(self, session: Any, environment: str, account: str) -> None:
        self.bucket = f"lyceum-{environment}-releases-{account}"
        self.environment = environment
        self._session, self._s3 = session, session.client("s3")

    def versions(self) -> list[str]:
        """What was published, by name."""
        with aws.asking("s3"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Delimiter="/")
            found = [item["Prefix"].rstrip("/") for page in pages for item in page.get("CommonPrefixes", [])]
        return sorted(name for name in found if VERSION.fullmatch(name))

    def check(self, version: str) -> str:
        """Raise unless the artifact is there, whole and what its manifest says. Returns the archive's SHA-256."""
        manifest = self._read(version, MANIFEST)
        if manifest is None:
            there = self.versions()
            raise LyceumError(
                f"There is no release {version} in {self.bucket}; nothing was changed.",
                f"Published are: {', '.join(there[-8:]) or 'none'}. A new one: ./lyceum publish {self.environment}.",
            )
        wanted = listed(manifest.decode("utf-8", "replace"), f"s3://{self.bucket}/{version}/{MANIFEST}")
        found = self._hash(version)
        if found is None:
            raise Refused(
                f"The release {version} has a manifest and no archive: its upload was cut short. Nothing was changed.",
                f"Publish it again: ./lyceum publish {self.environment} DIR.",
            )
        if found != wanted:
            raise Refused(
                f"The archive of {version} was altered: its SHA-256 is {found[:12]}…, its manifest says "
                f"{wanted[:12]}…. Nothing was changed.",
                "Publish under a new version, and find out in the audit trail who wrote this one.",
            )
        return found

    def publish(self, built: Artifact) -> bool:
        """Store an artifact under its version. Returns whether it was not there yet."""
        self._read(built.version, MANIFEST)  # raises where there is no bucket
        new = publish(built, self._session, self.bucket)
        if new:  # what was there already was read, and is the same
            self.check(built.version)
        return new

    def _read(self, version: str, name: str) -> bytes | None:
        body = self._open(version, name)
        with aws.asking("s3"):
            return None if body is None else bytes(body.read(64 * 1024))

    def _hash(self, version: str) -> str | None:
        body = self._open(version, ARCHIVE)
        if body is None:
            return None
        digest = hashlib.sha256()
        with aws.asking("s3"):
            while chunk := body.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def _open(self, version: str, name: str) -> Any:
        try:
            with aws.asking("s3"):
                return self._s3.get_object(Bucket=self.bucket, Key=f"{version}/{name}")["Body"]
        except LyceumError as error:
            if aws.code(error) in {"NoSuchKey", "404"}:
                return None
            if aws.code(error) == "NoSuchBucket":
                raise self._not_applied() from error
            raise

    def _not_applied(self) -> LyceumError:
        return LyceumError(
            f"There is no bucket {self.bucket}: {self.environment} was not applied in this account.",
            f"./lyceum apply {self.environment} makes it.",
        )


def listed(manifest: str, where: str) -> str:
    """The SHA-256 that a manifest gives the archive. Raises Refused when it names none."""
    found = re.search(rf"^([0-9a-f]{{64}})  {re.escape(ARCHIVE)}$", manifest, re.MULTILINE)
    if not found:
        raise Refused(f"{where} does not name {ARCHIVE}: it checks nothing.", "Publish under a new version.")
    return found[1]


def built(folder: Path) -> Artifact:
    """The artifact in a folder, whose name is its version, or in a folder that holds one such.

    Raises Usage where there is none or more than one, Refused when the archive is not what its manifest says.
    """
    inside = [path for path in folder.iterdir() if (path / MANIFEST).is_file()] if folder.is_dir() else []
    if len(inside) == 1:
        [folder] = inside
    archive, manifest = folder / ARCHIVE, folder / MANIFEST
    for file in (archive, manifest):
        if not file.is_file():
            raise Usage(f"{folder} holds no {file.name}.", "./lyceum artifact --out DIR makes one.")
    version = require_version(folder.resolve().name)
    wanted = listed(manifest.read_text(errors="replace"), str(manifest))
    found = sha256(archive)
    if found != wanted:
        raise Refused(f"{archive} is not what {manifest.name} says; nothing was published.", "Build it again.")
    return Artifact(version, archive, manifest, found, archive.stat().st_size)
