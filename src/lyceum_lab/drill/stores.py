"""The four stores of an environment on this machine, backed up into a folder and restored beside the live ones.

The database is dumped in the very snapshot of which its manifest is taken, and restored into a server of its own; the
table and the bucket are exported and imported by AWS's API; the shared files are packed. Nothing live is written to.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lyceum_lab.rehearsal import postgres
from lyceum_ops import aws
from lyceum_ops.drill import items
from lyceum_ops.drill import postgres as comparing
from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.stores import MARK, Copy, Point, require_mark
from lyceum_ops.errors import CommandFailed, LyceumError

WORKERS = "2"  # at a restoration: this machine's processors


def libpq(url: str) -> dict[str, str]:
    """This process's environment with a database's URL as PostgreSQL's own programs read it: in no word of theirs."""
    names = {"user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE",
             "sslmode": "PGSSLMODE"}  # fmt: skip
    return {**os.environ, **{names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}}


def names(folder: Path, of: str) -> list[str]:
    return sorted(path.name for path in folder.glob(f"drill-*-{of}")) if folder.is_dir() else []


class Database:
    """PostgreSQL. `connect` opens a connection to the live one, `dump` is the environment in which pg_dump reaches it.

    A copy is a server of its own in the folder, and ends with this process at the latest.
    """

    name = "database"

    def __init__(
        self, connect: Callable[[], AbstractContextManager[psycopg.Connection[Any]]], dump: Mapping[str, str],
        folder: Path, binaries: Path | None = None,
    ) -> None:  # fmt: skip
        self._connect, self._dump, self._folder = connect, dump, folder
        self._own = postgres.embedded()
        self._binaries = binaries or self._own
        self._servers: dict[str, postgres.Database] = {}

    def protect(self) -> Point:
        file = self._folder / "backups" / "database.dump"
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as live, comparing.snapshot(live) as moment:
            taken = datetime.now(UTC)
            found = comparing.manifest(live)
            _run(
                [
                    self._binaries / "pg_dump",
                    "--format=custom",
                    "--compress=1",
                    f"--snapshot={moment}",
                    f"--file={file}",
                ],
                self._dump,
            )
        return Point(str(file), taken, found, found)

    def restore(self, point: Point, number: str) -> Copy:
        name = f"drill-{number}-database"
        place = self._folder / name
        place.mkdir(parents=True)
        server = self._servers[name] = postgres.start(place / "server", place / "log", dict(os.environ))
        _run([self._own / "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--jobs={WORKERS}",
              f"--dbname={postgres.NAME}", point.name], libpq(server.owner_url))  # fmt: skip
        with psycopg.connect(server.owner_url, autocommit=True) as copy:
            return Copy(name, comparing.manifest(copy), tuple(comparing.faults(copy)))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        url = self._servers[copy.name].owner_url
        found = MARK.search(copy.name)
        with psycopg.connect(url, autocommit=True) as restored:
            restored.execute("CREATE TABLE lyceum_drill (number text PRIMARY KEY)")
            restored.execute("INSERT INTO lyceum_drill VALUES (%s)", [found[1] if found else ""])
        return {"DATABASE_URL": url}

    def left(self) -> list[str]:
        return names(self._folder, self.name)

    def remove(self, name: str) -> None:
        require_mark(name)
        if server := self._servers.pop(name, None):
            server.process.send_signal(signal.SIGQUIT)  # what it holds is thrown away
            server.process.wait(timeout=30)
        shutil.rmtree(self._folder / name)


class Table:
    """The learners' progress, by DynamoDB's API. A copy is a table of another name."""

    name = "progress"

    def __init__(self, client: Any, table: str, folder: Path) -> None:
        self._client, self._table, self._folder = client, table, folder
        self._prefix = table.removesuffix("-progress")

    def protect(self) -> Point:
        file = self._folder / "backups" / "progress.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        before, taken = items.of_table(self._client, self._table), datetime.now(UTC)
        with aws.asking("dynamodb"), file.open("w") as sink:
            for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
                for item in page["Items"]:
                    sink.write(json.dumps(item, default=_bytes) + "\n")
        return Point(str(file), taken, before, items.of_table(self._client, self._table))

    def restore(self, point: Point, number: str) -> Copy:
        name = f"{self._prefix}-drill-{number}-progress"
        with aws.asking("dynamodb"):
            told = self._client.describe_table(TableName=self._table)["Table"]
            self._client.create_table(
                TableName=name, KeySchema=told["KeySchema"], AttributeDefinitions=told["AttributeDefinitions"],
                BillingMode="PAY_PER_REQUEST",
            )  # fmt: skip
            self._client.get_waiter("table_exists").wait(TableName=name)
            for item in _lines(Path(point.name)):
                self._client.put_item(TableName=name, Item=item)
        return Copy(name, items.of_table(self._client, name))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"PROGRESS_URL": f"dynamodb://{copy.name}"}

    def left(self) -> list[str]:
        with aws.asking("dynamodb"):
            names = [n for page in self._client.get_paginator("list_tables").paginate() for n in page["TableNames"]]
        return [name for name in names if name.startswith(f"{self._prefix}-drill-")]

    def remove(self, name: str) -> None:
        with aws.asking("dynamodb"):
            self._client.delete_table(TableName=require_mark(name))


class Files:
    """The files that learners share: a folder, packed, and unpacked elsewhere."""

    name = "files"

    def __init__(self, live: Path, folder: Path) -> None:
        self._live, self._folder = live, folder

    def protect(self) -> Point:
        file = self._folder / "backups" / "files.tar"
        file.parent.mkdir(parents=True, exist_ok=True)
        before, taken = items.of_folder(self._live), datetime.now(UTC)
        with tarfile.open(file, "w") as archive:
            archive.add(self._live, arcname=".")
        return Point(str(file), taken, before, items.of_folder(self._live))

    def restore(self, point: Point, number: str) -> Copy:
        place = self._folder / f"drill-{number}-files"
        place.mkdir(parents=True)
        try:
            with tarfile.open(point.name) as archive:
                # Of 3.11 only the later ones have filters.
                archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                archive.extractall(place)  # noqa: S202 - filtered, and a backup of our own
        except (tarfile.TarError, EOFError) as error:
            raise LyceumError(f"{Path(point.name).name} cannot be unpacked: {error}") from error
        return Copy(place.name, items.of_folder(place))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"SHARED_FILES_DIR": str(self._folder / copy.name)}

    def left(self) -> list[str]:
        return names(self._folder, self.name)

    def remove(self, name: str) -> None:
        shutil.rmtree(self._folder / require_mark(name))


class Bucket:
    """Course materials and videos with their versions, by S3's API. A copy is a bucket of another name."""

    name = "content"

    def __init__(self, client: Any, bucket: str, folder: Path) -> None:
        self._client, self._bucket, self._folder = client, bucket, folder
        self._prefix, _, self._account = bucket.rpartition("-content-")

    def protect(self) -> Point:
        place = self._folder / "backups" / "content"
        shutil.rmtree(place, ignore_errors=True)  # the backup before
        place.mkdir(parents=True)
        before, taken = items.of_bucket(self._client, self._bucket), datetime.now(UTC)
        with aws.asking("s3"), (place / "index.jsonl").open("w") as index:
            for number, one in enumerate(reversed(items.versions(self._client, self._bucket))):
                if one.size is not None:
                    told = self._client.get_object(Bucket=self._bucket, Key=one.key, VersionId=one.id)
                    with (place / f"{number}").open("wb") as sink:
                        shutil.copyfileobj(told["Body"], sink)
                index.write(json.dumps({"key": one.key, "deleted": one.size is None, "file": f"{number}"}) + "\n")
        return Point(str(place), taken, before, items.of_bucket(self._client, self._bucket))

    def restore(self, point: Point, number: str) -> Copy:
        name = f"{self._prefix}-drill-{number}-content-{self._account}"
        place = Path(point.name)
        buckets.make(self._client, name)
        with aws.asking("s3"):
            self._client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            for one in _lines(place / "index.jsonl"):
                if one["deleted"]:
                    self._client.delete_object(Bucket=name, Key=one["key"])
                    continue
                try:
                    body = (place / one["file"]).read_bytes()
                except FileNotFoundError as error:
                    raise LyceumError(f"The backup of the bucket lacks {one['key']}.") from error
                self._client.put_object(Bucket=name, Key=one["key"], Body=body)
        return Copy(name, items.of_bucket(self._client, name))

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {"CONTENT_URL": f"s3://{copy.name}"}

    def left(self) -> list[str]:
        return buckets.left(self._client, f"{self._prefix}-drill-", f"-content-{self._account}")

    def remove(self, name: str) -> None:
        buckets.remove(self._client, name, Pace())


def _lines(file: Path) -> Iterator[Any]:
    """What an export holds. Raises LyceumError for one that is broken."""
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        try:
            yield json.loads(line, object_hook=_unbytes)
        except ValueError as error:
            raise LyceumError(f"{file.name} is broken in line {number}.") from error


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    raise TypeError(f"DynamoDB has no {type(value).__name__}")


def _unbytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["__bytes__"]) if set(value) == {"__bytes__"} else value


def _run(argv: list[Any], env: Mapping[str, str]) -> None:
    done = subprocess.run([str(word) for word in argv], env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise CommandFailed(f"{Path(argv[0]).name} failed: {lines[0][:300]}", errors=tuple(lines))
