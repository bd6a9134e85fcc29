#!/usr/bin/env python3
"""A stand-in for Amazon's CloudWatch agent: reads the agent's own configuration file and does the same.

Kept to what Amazon documents and to the agent's published source, so that a configuration that works here works there:

- `metrics`: memory and disks each `metrics_collection_interval`, under the dimensions that `append_dimensions` and
  `aggregation_dimensions` make. `${aws:AutoScalingGroupName}` is asked of EC2 (`ec2:DescribeTags`), as the agent asks:
  a server whose role may not sends no metric at all, there as here. The other `${aws:…}` are the metadata service's.
- `logs`: each file from where it was left, through rotation, truncation and restart, into streams that are made when
  they are missing, in groups that exist already. `{instance_id}`, `{date}` and their like are resolved when the
  configuration is loaded, not by event. SIGHUP loads it again.

What the lab adds, and Amazon's agent does not have:

    LYCEUM_STANDIN_MEMORY_FILE   a file that holds the memory in use in percent. A container sees the memory of the host
                                 it shares: the lab knows better. Without a number in it there is no data point.
    LYCEUM_STANDIN_TIME_SCALE    divides the intervals of metrics; the number of data points stays.
    AWS_ENDPOINT_URL             in place of AWS's own addresses (older boto3 does not read it by itself).

Not here: CPU, network and process metrics, StatsD, collectd, traces, Windows, filters, container metadata. Whatever
the configuration asks of these is named once on stderr.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

HOME = Path("/opt/aws/amazon-cloudwatch-agent")
CONFIGURATION = HOME / "etc" / "amazon-cloudwatch-agent.json"
STATE = HOME / "logs" / "state"

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
BATCH_BYTES = 1_048_576
BATCH_EVENTS = 10_000
BATCH_SPAN = 24 * 3600 * 1000
EVENT_OVERHEAD = 26
EVENT_BYTES = 262_144 - EVENT_OVERHEAD
TRUNCATED = "[Truncated...]"
METRICS_A_CALL = 1000  # PutMetricData; the agent's own batches are as large

TICK = 0.5  # seconds between two looks at the files
BUFFER_BYTES = 8 * 1024 * 1024  # of one stream; when it is full its file waits, and loses nothing
READ_BYTES = 256 * 1024  # of one file in one look
LET_GO = 60.0  # seconds without a new line after which a file that another one followed is closed
PENDING_SECONDS = 1.0  # how long the last event may still grow by a line
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two attempts


def say(level: str, text: str) -> None:
    """One line on stderr, as the agent writes its own log: E! error, W! warning, I! information."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"{stamp} {level}! {text}", file=sys.stderr, flush=True)


class Unusable(Exception):
    """The configuration, or the machine, cannot be worked with; its text says why."""


# ---------------------------------------------------------------------------------------------------- the instance


class Metadata:
    """What the instance metadata service (version 2) tells."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = ""

    def get(self, path: str) -> str:
        """The value at `path`, or "" where there is none. Raises OSError when the service does not answer."""
        for _ in range(2):
            if not self._token:
                self._token = self._ask("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
            try:
                return self._ask("GET", path, {"X-aws-ec2-metadata-token": self._token})
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return ""
                if error.code != 401:
                    raise
                self._token = ""  # expired
        raise OSError("the metadata service refuses its own tokens")

    def _ask(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(f"{self._endpoint}/latest/{path}", method=method, headers=dict(headers))  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=2) as answer:
            return str(answer.read().decode())


@dataclass(frozen=True)
class Identity:
    """Who this instance is, as far as the configuration can ask."""

    instance_id: str
    instance_type: str
    image_id: str
    region: str
    account_id: str
    address: str
    hostname: str

    @classmethod
    def read(cls, metadata: Metadata) -> Identity:
        document: dict[str, Any] = {}
        if text := metadata.get("dynamic/instance-identity/document"):
            try:
                document = json.loads(text)
            except ValueError:
                say("W", "the identity document is not JSON")
        of = document.get
        return cls(
            instance_id=of("instanceId") or metadata.get("meta-data/instance-id"),
            instance_type=of("instanceType") or metadata.get("meta-data/instance-type"),
            image_id=of("imageId") or metadata.get("meta-data/ami-id"),
            region=of("region") or metadata.get("meta-data/placement/region"),
            account_id=of("accountId") or "",
            address=of("privateIp") or metadata.get("meta-data/local-ipv4"),
            hostname=metadata.get("meta-data/hostname") or socket.gethostname(),
        )


def resolved(name: str, identity: Identity) -> str:
    """A group's or stream's name with its placeholders filled, the date as it is now on this machine."""
    values = {
        "{instance_id}": identity.instance_id or "i-UNKNOWN",
        "{hostname}": identity.hostname,
        "{local_hostname}": socket.gethostname(),
        "{ip_address}": identity.address or "UNKNOWN-IP",
        "{aws_region}": identity.region or "UNKNOWN-REGION",
        "{account_id}": identity.account_id or "UNKNOWN-ACCOUNT",
        "{date}": time.strftime("%Y-%m-%d"),
    }
    for placeholder, value in values.items():
        name = name.replace(placeholder, value)
    return name


# ---------------------------------------------------------------------------------------------------- configuration

# The directives that Amazon documents for timestamp_format, each with what it matches.
_DIRECTIVES = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\s{0,1}\d{1,2}", "%-m": r"\s{0,1}\d{1,2}", "%d": r"\s{0,1}\d{1,2}",
    "%-d": r"\s{0,1}\d{1,2}", "%B": r"[A-Za-z]+", "%b": r"[A-Za-z]{3}", "%A": r"[A-Za-z]+", "%a": r"[A-Za-z]{3}",
    "%H": r"\d{2}", "%I": r"\d{1,2}", "%-I": r"\d{1,2}", "%M": r"\d{2}", "%-M": r"\d{1,2}", "%S": r"\d{2}",
    "%-S": r"\d{1,2}", "%p": r"[AP]M", "%Z": r"[A-Z]{3,4}", "%z": r"(?:Z|[+-]\d{2}:?\d{2})", "%f": r"\d{1,9}",
    "%T": r"\d{2}:\d{2}:\d{2}", "%R": r"\d{2}:\d{2}",
}  # fmt: skip


@dataclass(frozen=True)
class Stamp:
    """How the time of an event stands in its text."""

    format: str
    utc: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"(%-?[A-Za-z])", self.format)
        return re.compile("".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts))

    def read(self, text: str, matched: re.Pattern[str], now: datetime) -> int | None:
        """Milliseconds since 1970, or None where the text holds no such time."""
        if not (found := matched.search(text)):
            return None
        # Nanoseconds to microseconds: datetime knows no finer time.
        written = re.sub(r"([.,]\d{6})\d+", r"\1", found[0]).strip()
        wanted = self.format.replace("%-", "%").replace("%T", "%H:%M:%S").replace("%R", "%H:%M").strip()
        try:
            moment = datetime.strptime(re.sub(r"\s+", " ", written), re.sub(r"\s+", " ", wanted))
        except ValueError:
            return None
        if "%Y" not in wanted and "%y" not in wanted:
            moment = moment.replace(year=now.year)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC) if self.utc else moment.astimezone()
        return round(moment.timestamp() * 1000)


@dataclass(frozen=True)
class File:
    """One entry of `collect_list`, its names resolved."""

    path: str
    group: str
    stream: str
    stamp: Stamp | None
    starts: str  # regular expression of an event's first line
    encoding: str
    multi: bool  # publish_multi_logs


@dataclass(frozen=True)
class Measure:
    """One metric to be measured."""

    kind: str  # "mem", "disk" or "swap"
    name: str  # without the kind
    shown: str  # as it is published
    unit: str | None
    interval: float
    dimensions: tuple[tuple[str, str], ...]
    resources: tuple[str, ...] = ()
    ignored_types: tuple[str, ...] = ()
    drop_device: bool = False


@dataclass(frozen=True)
class Configuration:
    """What the file asks for."""

    region: str
    namespace: str
    measures: tuple[Measure, ...]
    append: tuple[tuple[str, str], ...]
    aggregations: tuple[tuple[str, ...], ...]
    omit_hostname: bool
    files: tuple[File, ...]
    flush: float


_UNITS = {"used_percent": "Percent", "available_percent": "Percent"}
_KNOWN = {
    "mem": ("used_percent", "available_percent", "used", "available", "total", "free"),
    "disk": ("used_percent", "used", "free", "total", "inodes_free", "inodes_used", "inodes_total"),
    "swap": ("used_percent", "used", "free"),
}


def load(path: Path, identity: Identity, scale: float = 1.0) -> Configuration:
    """Read the agent's configuration. Raises Unusable, naming what is wrong."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{path} is not JSON: {error}") from error
    if not isinstance(read, dict) or not ({"metrics", "logs"} & set(read)):
        raise Unusable(f"{path} asks for neither metrics nor logs")
    agent, metrics, logs = (read.get(part) or {} for part in ("agent", "metrics", "logs"))
    try:
        return Configuration(
            region=str(agent.get("region") or os.environ.get("AWS_REGION") or identity.region),
            namespace=str(metrics.get("namespace") or "CWAgent"),
            measures=tuple(_measures(agent, metrics, scale)),
            append=tuple(sorted((metrics.get("append_dimensions") or {}).items())),
            aggregations=tuple(tuple(sorted(each)) for each in metrics.get("aggregation_dimensions") or []),
            omit_hostname=bool(agent.get("omit_hostname", False)),
            files=tuple(_files(logs, identity)),
            flush=float(logs.get("force_flush_interval") or 5),
        )
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        raise Unusable(f"{path} is not as the agent's schema wants it: {type(error).__name__}: {error}") from error


def _measures(agent: dict[str, Any], metrics: dict[str, Any], scale: float) -> Iterator[Measure]:
    usual = float(agent.get("metrics_collection_interval") or 60)
    for kind, section in (metrics.get("metrics_collected") or {}).items():
        if kind not in _KNOWN:
            say("W", f"metrics of {kind} are not measured by this stand-in")
            continue
        for asked in section["measurement"]:
            told = asked if isinstance(asked, dict) else {"name": asked}
            name = str(told["name"]).removeprefix(f"{kind}_")
            if name not in _KNOWN[kind]:
                say("W", f"{kind}_{name} is not measured by this stand-in")
                continue
            yield Measure(
                kind=kind,
                name=name,
                shown=str(told.get("rename") or f"{kind}_{name}"),
                unit=told.get("unit") or _UNITS.get(name, None if name.startswith("inodes") else "Bytes"),
                interval=float(section.get("metrics_collection_interval") or usual) / scale,
                dimensions=tuple(sorted((section.get("append_dimensions") or {}).items())),
                resources=tuple(section.get("resources") or ("*",)),
                ignored_types=tuple(section.get("ignore_file_system_types") or ()),
                drop_device=bool(section.get("drop_device", False)),
            )


def _files(logs: dict[str, Any], identity: Identity) -> Iterator[File]:
    collected = logs.get("logs_collected") or {}
    for kind in set(collected) - {"files"}:
        say("W", f"logs of {kind} are not collected by this stand-in")
    stream_of_all = str(logs.get("log_stream_name") or "{instance_id}")
    for entry in (collected.get("files") or {}).get("collect_list") or []:
        path = str(entry["file_path"])
        stamp = None
        if written := entry.get("timestamp_format"):
            stamp = Stamp(str(written), utc=str(entry.get("timezone", "")).upper() == "UTC")
        starts = str(entry.get("multi_line_start_pattern") or r"^\S")
        if "{timestamp_format}" in starts:
            if stamp is None:
                raise ValueError(f"{path}: multi_line_start_pattern wants a timestamp_format")
            starts = starts.replace("{timestamp_format}", stamp.pattern.pattern)
        re.compile(starts)
        yield File(
            path=path,
            group=resolved(str(entry.get("log_group_name") or Path(path).name), identity),
            stream=resolved(str(entry.get("log_stream_name") or stream_of_all), identity),
            stamp=stamp,
            starts=starts,
            encoding=str(entry.get("encoding") or "utf-8"),
            multi=bool(entry.get("publish_multi_logs", False)),
        )


# ---------------------------------------------------------------------------------------------------- logs


@dataclass
class Event:
    """One event of a stream, and how far in its file it reaches."""

    at: int
    text: str
    end: int
    tail: Tail
    generation: int

    @property
    def size(self) -> int:
        return len(self.text.encode("utf-8", "replace")) + EVENT_OVERHEAD


class Tail:
    """One file, followed by its inode; remembers on disk how far its events were accepted."""

    def __init__(self, path: str, file: File, state: Path) -> None:
        self.path = path
        self._file = file
        self._pattern = file.stamp.pattern if file.stamp else None
        self._starts = re.compile(file.starts)
        self._state = state / re.sub(r"[/ ]", "_", path)
        self._stream: BinaryIO | None = None
        self._inode = 0
        self._read = 0  # how far it was read
        self._generation = 0  # of the file's content: another file, or the same one truncated
        self.touched = time.monotonic()
        self._lines: list[str] = []
        self._last_stamp: int | None = None

    def poll(self, now: float) -> list[Event]:
        """The events that are complete. Never more than READ_BYTES of the file at once."""
        if self._stream is None and not self._open():
            return []
        assert self._stream is not None  # noqa: S101 - opened above
        try:
            size = os.fstat(self._stream.fileno()).st_size
        except OSError:
            return self.close()
        events: list[Event] = []
        if size < self._read:  # truncated
            events += self._complete()
            self._read = 0
            self._generation += 1
            self._save(0)
        self._stream.seek(self._read)
        chunk = self._stream.read(READ_BYTES)
        whole, newline, _ = chunk.rpartition(b"\n")
        if newline:
            for line in whole.split(b"\n"):
                events += self._line(line)
                self._read += len(line) + 1
            self.touched = now
        elif len(chunk) == READ_BYTES:  # a line that is larger than any event may be
            events += self._line(chunk)
            self._read += len(chunk)
            self.touched = now
        elif self._rotated():
            if chunk:  # what was written last has no end of line, and never will
                events += self._line(chunk)
                self._read += len(chunk)
            return events + self.close()
        elif self._lines and now - self.touched >= PENDING_SECONDS:
            events += self._complete()
        return events

    def accepted(self, event: Event) -> None:
        """Remember that the stream holds everything of the file up to this event."""
        if event.generation == self._generation:
            self._save(event.end)

    def finish(self) -> list[Event]:
        """The event that was still open; at the end of the process."""
        return self._complete()

    def _open(self) -> bool:
        try:
            stream = open(self.path, "rb")  # noqa: SIM115 - stays open as long as the file is followed
        except FileNotFoundError:
            return False
        except OSError as error:
            say("W", f"{self.path} cannot be opened: {error.strerror}")
            return False
        found = os.fstat(stream.fileno())
        self._stream, self._inode, self._read = stream, found.st_ino, 0
        self._generation += 1
        try:
            saved = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            saved = {}
        if saved.get("inode") == found.st_ino and 0 <= saved.get("offset", 0) <= found.st_size:
            self._read = int(saved["offset"])
        return True

    def _rotated(self) -> bool:
        try:
            return os.stat(self.path).st_ino != self._inode
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def close(self) -> list[Event]:
        """The event that was still open, and an end to following this file."""
        events = self._complete()
        if self._stream is not None:
            self._stream.close()
        self._stream, self._read = None, 0
        return events

    def _line(self, raw: bytes) -> list[Event]:
        line = raw.decode(self._file.encoding, "replace").rstrip("\r")
        events: list[Event] = []
        if self._lines and self._starts.search(line):
            events = self._complete()
        self._lines.append(line)
        return events

    def _complete(self) -> list[Event]:
        if not self._lines:
            return []
        text, self._lines = "\n".join(self._lines), []
        if not text.strip():
            return []
        now = datetime.now().astimezone()
        at = self._file.stamp.read(text, self._pattern, now) if self._file.stamp and self._pattern else None
        if at is None:
            # The agent gives an event without a time that of the one before it.
            at = self._last_stamp if self._file.stamp and self._last_stamp else round(now.timestamp() * 1000)
        else:
            self._last_stamp = at
        encoded = text.encode("utf-8", "replace")
        if len(encoded) > EVENT_BYTES:
            text = encoded[: EVENT_BYTES - len(TRUNCATED)].decode("utf-8", "ignore") + TRUNCATED
        return [Event(at, text, self._read, self, self._generation)]

    def _save(self, offset: int) -> None:
        draft = self._state.with_name(self._state.name + ".new")
        try:
            draft.write_text(json.dumps({"path": self.path, "inode": self._inode, "offset": offset}), encoding="utf-8")
            draft.replace(self._state)
        except OSError as error:
            say("E", f"the offset of {self.path} cannot be saved: {error.strerror}")


class Source:
    """One entry of `collect_list`: of the files that match, the one written last, or all of them."""

    def __init__(self, file: File, state: Path) -> None:
        self.file = file
        self._state = state
        self._tails: dict[str, Tail] = {}

    def poll(self, now: float) -> list[Event]:
        wanted = self._wanted()
        for path in wanted:
            if path not in self._tails:
                self._tails[path] = Tail(path, self.file, self._state)
        # A file that another one followed is read to its end before it is let go.
        events = [event for tail in self._tails.values() for event in tail.poll(now)]
        for path in [path for path, tail in self._tails.items() if path not in wanted and now - tail.touched > LET_GO]:
            events += self._tails.pop(path).close()
        return events

    def finish(self) -> list[Event]:
        return [event for tail in self._tails.values() for event in tail.finish()]

    def _wanted(self) -> list[str]:
        if not glob.has_magic(self.file.path):
            return [self.file.path]
        found = []
        for path in glob.glob(self.file.path, recursive=True):
            if path.endswith((".gz", ".zip", ".bz2", ".tar", ".xz", ".zst")):
                continue
            try:
                found.append((os.stat(path).st_mtime, path))
            except OSError:
                continue
        found.sort()
        return [path for _, path in (found if self.file.multi else found[-1:])]


def batches(events: list[Event]) -> Iterator[list[Event]]:
    """Events in the order of their files, cut where a call of PutLogEvents must end."""
    batch: list[Event] = []
    size, first, last = 0, 0, 0
    for event in events:
        low, high = (min(first, event.at), max(last, event.at)) if batch else (event.at, event.at)
        if batch and (size + event.size > BATCH_BYTES or len(batch) >= BATCH_EVENTS or high - low > BATCH_SPAN):
            yield batch
            batch, size, low, high = [], 0, event.at, event.at
        batch.append(event)
        size, first, last = size + event.size, low, high
    if batch:
        yield batch


@dataclass
class Stream:
    """What waits for one stream of CloudWatch Logs, and when it may be tried again."""

    group: str
    name: str
    waiting: deque[Event] = field(default_factory=deque)
    size: int = 0
    oldest: float = 0.0  # when the first of them came
    wait: float = 0.0
    retry_at: float = 0.0

    @property
    def full(self) -> bool:
        return self.size >= BUFFER_BYTES

    def add(self, events: list[Event], now: float) -> None:
        if events and not self.waiting:
            self.oldest = now
        self.waiting.extend(events)
        self.size += sum(event.size for event in events)

    def due(self, now: float, flush: float) -> bool:
        if not self.waiting or now < self.retry_at:
            return False
        return now - self.oldest >= flush or self.size >= BATCH_BYTES or len(self.waiting) >= BATCH_EVENTS

    def failed(self, now: float) -> None:
        self.wait = min(max(self.wait * 2, FIRST_WAIT), LONGEST_WAIT)
        self.retry_at = now + self.wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret


class Shipper:
    """Follows the files and hands their events over."""

    def __init__(self, files: tuple[File, ...], state: Path, client: Any, flush: float) -> None:
        self._sources = [Source(file, state) for file in files]
        self._client = client
        self._flush = flush
        self._streams: dict[tuple[str, str], Stream] = {}

    def tick(self, now: float, *, last: bool = False) -> None:
        """Read what is new and send what is due; with `last`, everything at once."""
        for source in self._sources:
            key = (source.file.group, source.file.stream)
            stream = self._streams.setdefault(key, Stream(*key))
            if not stream.full:
                stream.add(source.poll(now), now)
            if last:
                stream.add(source.finish(), now)
        for stream in self._streams.values():
            if stream.due(now, 0 if last else self._flush):
                self._send(stream, now)

    def _send(self, stream: Stream, now: float) -> None:
        for batch in batches(list(stream.waiting)):
            events = [{"timestamp": event.at, "message": event.text} for event in sorted(batch, key=lambda e: e.at)]
            try:
                self._put(stream, events)
            except Exception as error:  # whatever the SDK raises: an outage must not end the agent
                code = _code(error)
                if code != "InvalidParameterException":
                    stream.failed(now)
                    say("E", f"{stream.group} {stream.name}: {code}; again in {stream.wait:.0f} s")
                    return
                say("E", f"{stream.group} {stream.name}: {len(batch)} events are refused for ever: {code}")
            stream.wait = 0.0
            for event in batch:
                stream.waiting.popleft()
                stream.size -= event.size
            for tail in {event.tail for event in batch}:
                tail.accepted(max((e for e in batch if e.tail is tail), key=lambda e: e.end))
        stream.oldest = now

    def _put(self, stream: Stream, events: list[dict[str, Any]]) -> None:
        where = {"logGroupName": stream.group, "logStreamName": stream.name}
        try:
            answer = self._client.put_log_events(**where, logEvents=events)
        except Exception as error:
            if _code(error) != "ResourceNotFoundException":
                raise
            # The stream, or its group. A group is not made here: the server has no right to.
            try:
                self._client.create_log_stream(**where)
            except Exception as refused:
                if _code(refused) != "ResourceAlreadyExistsException":
                    raise
            answer = self._client.put_log_events(**where, logEvents=events)
        if rejected := answer.get("rejectedLogEventsInfo"):
            say("W", f"{stream.group} {stream.name}: some events are too old or too new: {json.dumps(rejected)}")


def _code(error: Exception) -> str:
    """What went wrong in one word: an SDK's text may repeat what was sent."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


# ---------------------------------------------------------------------------------------------------- metrics


def memory(given: str | None) -> dict[str, float]:
    """Memory by the names of its metrics; empty where nobody can tell."""
    if given:
        try:
            used = float(Path(given).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {"used_percent": used, "available_percent": 100 - used}
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    kib = {name: float(value.split()[0]) for name, value in (line.split(":", 1) for line in lines)}
    total, free, available = (kib[name] * 1024 for name in ("MemTotal", "MemFree", "MemAvailable"))
    # As the agent counts: in use is what is neither free nor buffers nor cache.
    used = total - free - (kib["Buffers"] + kib["Cached"] + kib.get("SReclaimable", 0)) * 1024
    return {"used_percent": 100 * used / total, "available_percent": 100 * available / total, "used": used,
            "available": available, "total": total, "free": free}  # fmt: skip


def swap() -> dict[str, float]:
    """Swap space by the names of its metrics."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    kib = {name: float(value.split()[0]) for name, value in (line.split(":", 1) for line in lines)}
    total, free = kib["SwapTotal"] * 1024, kib["SwapFree"] * 1024
    return {"used_percent": 100 * (total - free) / total if total else 0.0, "used": total - free, "free": free}


def disks(measure: Measure) -> Iterator[tuple[tuple[tuple[str, str], ...], dict[str, float]]]:
    """The dimensions and the figures of each file system that the measure asks for."""
    seen = set()
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, path, kind = line.split()[:3]
        path = path.encode().decode("unicode_escape")
        wanted = "*" in measure.resources or path in measure.resources
        if not wanted or path in seen or kind in measure.ignored_types:
            continue
        try:
            found = os.statvfs(path)
        except OSError:
            continue
        if not found.f_blocks:  # proc, sysfs and the like
            continue
        seen.add(path)
        block = found.f_frsize
        total, free, used = found.f_blocks * block, found.f_bfree * block, (found.f_blocks - found.f_bfree) * block
        dimensions = [("path", path), ("fstype", kind)]
        if not measure.drop_device:
            dimensions.append(("device", device.removeprefix("/dev/")))
        yield tuple(dimensions), {
            "used_percent": 100 * used / (used + found.f_bavail * block) if used else 0.0,
            "used": used, "free": free, "total": total, "inodes_free": found.f_ffree,
            "inodes_used": found.f_files - found.f_ffree, "inodes_total": found.f_files,
        }  # fmt: skip


def _middle(now: float, interval: float) -> float:
    """The next middle of an interval of the clock, on the monotonic one: each minute then holds one point."""
    clock = time.time()
    return now + ((clock / interval + 0.5) // 1 + 0.5) * interval - clock


class Publisher:
    """Measures, and hands the data points over. What cannot be sent is kept for a while: an hour of them."""

    def __init__(
        self, wanted: Configuration, identity: Identity, client: Any, ec2: Any, memory_file: str | None
    ) -> None:
        self._wanted = wanted
        self._identity = identity
        self._client = client
        self._ec2 = ec2
        self._memory_file = memory_file
        begun = time.monotonic()
        self._next = {measure: _middle(begun, measure.interval) for measure in wanted.measures}
        self._waiting: deque[dict[str, Any]] = deque(maxlen=60 * 50)
        self._appended: dict[str, str] | None = None
        self._wait = 0.0
        self._retry_at = 0.0

    def tick(self, now: float) -> None:
        """Measure what is due, and send all there is."""
        due = [measure for measure, at in self._next.items() if now >= at]
        for measure in due:
            self._next[measure] = _middle(now, measure.interval)
        if now >= self._retry_at and self._appended is None:
            self._identify(now)
        if self._appended is None:
            return  # as the agent: no metric before its dimensions are known
        for measure in due:
            self._waiting.extend(self._measured(measure, self._appended))
        while self._waiting and now >= self._retry_at:
            sent = [self._waiting[i] for i in range(min(METRICS_A_CALL, len(self._waiting)))]
            try:
                self._client.put_metric_data(Namespace=self._wanted.namespace, MetricData=sent)
            except Exception as error:  # an outage must not end the agent
                self._failed(now, f"{self._wanted.namespace}: {_code(error)}")
                return
            self._wait = 0.0
            for _ in sent:
                self._waiting.popleft()

    def next_at(self) -> float:
        return min(self._next.values(), default=time.monotonic() + 60)

    def _failed(self, now: float, what: str) -> None:
        self._wait = min(max(self._wait * 2, FIRST_WAIT), LONGEST_WAIT)
        self._retry_at = now + self._wait
        say("E", f"{what}; again in {self._wait:.0f} s")

    def _identify(self, now: float) -> None:
        known = {
            "${aws:InstanceId}": self._identity.instance_id,
            "${aws:InstanceType}": self._identity.instance_type,
            "${aws:ImageId}": self._identity.image_id,
        }
        found: dict[str, str] = {}
        for name, value in self._wanted.append:
            if value == "${aws:AutoScalingGroupName}":
                filters = [
                    {"Name": "resource-type", "Values": ["instance"]},
                    {"Name": "resource-id", "Values": [self._identity.instance_id]},
                    {"Name": "key", "Values": ["aws:autoscaling:groupName"]},
                ]
                try:
                    tags = self._ec2.describe_tags(Filters=filters)["Tags"]
                except Exception as error:  # as above
                    self._failed(now, f"ec2:DescribeTags, for AutoScalingGroupName: {_code(error)}")
                    return
                if tags:
                    found[name] = str(tags[0]["Value"])
                else:
                    self._failed(now, "this instance has no tag aws:autoscaling:groupName")
                    return
            elif value in known:
                found[name] = known[value]
            else:
                say("W", f"metrics.append_dimensions: {name} is none of those that the agent knows; left out")
        self._wait = 0.0
        self._appended = found

    def _measured(self, measure: Measure, appended: dict[str, str]) -> Iterator[dict[str, Any]]:
        if measure.kind == "disk":
            readings = list(disks(measure))
        else:
            readings = [((), memory(self._memory_file) if measure.kind == "mem" else swap())]
        at = datetime.now(UTC)
        for own, figures in readings:
            if measure.name not in figures:
                continue
            dimensions = {**dict(own), **dict(measure.dimensions), **appended}
            if not self._wanted.append and not self._wanted.omit_hostname:
                dimensions["host"] = self._identity.hostname
            rolled = [names for names in self._wanted.aggregations if set(names) <= set(dimensions)]
            for names in dict.fromkeys([tuple(sorted(dimensions)), *rolled]):
                datum: dict[str, Any] = {
                    "MetricName": measure.shown,
                    "Dimensions": [{"Name": name, "Value": dimensions[name]} for name in names],
                    "Timestamp": at,
                    "Value": figures[measure.name],
                }
                if measure.unit:
                    datum["Unit"] = measure.unit
                yield datum


# ---------------------------------------------------------------------------------------------------- the process


def patiently(what: str, attempt: Callable[[], Any], ended: threading.Event, *, seconds: float = 60) -> Any:
    """The first answer that is no OSError. Raises Unusable after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except OSError as error:
            if time.monotonic() >= until or ended.wait(FIRST_WAIT):
                raise Unusable(f"{what} does not answer: {type(error).__name__}") from error


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C. Returns 1 when it cannot work, with one line that says why."""
    parser = argparse.ArgumentParser(prog="amazon-cloudwatch-agent", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIGURATION)
    parser.add_argument("--state", type=Path, default=STATE, help="folder of the offsets")
    options = parser.parse_args(argv)

    ended, again = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        ended.set()
        again.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, lambda *_: again.set())
    try:
        scale = float(os.environ.get("LYCEUM_STANDIN_TIME_SCALE") or 1)
        if scale <= 0:
            raise Unusable("LYCEUM_STANDIN_TIME_SCALE must be greater than 0")
        options.state.mkdir(parents=True, exist_ok=True)
        metadata = Metadata(os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254")
        identity = patiently("the metadata service", lambda: Identity.read(metadata), ended)
        wanted = load(options.config, identity, scale)
        while not ended.is_set():
            again.clear()
            work(wanted, identity, options.state, again)
            if not ended.is_set():
                try:
                    wanted = load(options.config, identity, scale)
                    say("I", "the configuration is loaded again")
                except Unusable as error:
                    say("E", f"{error}; the one before stays")
                    # Its names hold the date of now, as they would had it been readable.
    except (Unusable, OSError, ValueError) as error:
        if ended.is_set():
            return 0
        say("E", str(error))
        return 1
    return 0


def work(wanted: Configuration, identity: Identity, state: Path, until: threading.Event) -> None:
    """Collect as the configuration says, until the event is set; then hand over what is left, once."""
    import boto3
    from botocore.config import Config

    # A call that is not answered is tried again here, where what waits is bounded.
    settings = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1}, region_name=wanted.region)
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None

    def client(service: str) -> Any:
        return boto3.client(service, config=settings, endpoint_url=endpoint)  # type: ignore[call-overload]

    shipper = Shipper(wanted.files, state, client("logs"), wanted.flush)
    # Only who has to be asked for its group's name: a client costs memory.
    ec2 = client("ec2") if any(value == "${aws:AutoScalingGroupName}" for _, value in wanted.append) else None
    publisher = Publisher(wanted, identity, client("cloudwatch"), ec2, os.environ.get("LYCEUM_STANDIN_MEMORY_FILE"))

    def measure() -> None:
        while not until.wait(max(0.05, min(TICK * 2, publisher.next_at() - time.monotonic()))):
            publisher.tick(time.monotonic())

    measuring = threading.Thread(target=measure, name="metrics", daemon=True)
    if wanted.measures:
        measuring.start()
    say("I", f"{len(wanted.measures)} metrics in {wanted.namespace}, {len(wanted.files)} log files")
    while not until.wait(TICK):
        shipper.tick(time.monotonic())
    shipper.tick(time.monotonic(), last=True)
    if measuring.is_alive():
        measuring.join(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
