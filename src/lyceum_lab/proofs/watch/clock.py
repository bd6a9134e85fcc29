"""What starts by the clock: each deployed schedule, the function that it starts, and what that does as its own role."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lyceum_lab.clock import schedule, start
from lyceum_lab.clock.functions import Ran
from lyceum_lab.proofs.report import require
from lyceum_lab.rehearsal.infrastructure import Session

HOUR = timedelta(hours=1)
# Starts in an hour of what an environment may have by the clock.
STARTS = {"purge-logs": 1, "canary": 60}
SERVER = "i-0fedcba9876543210"
PAGE = b'<!doctype html><title>.</title><main id="main">A page of the platform</main></html>'


def started(admin: Session, environment: str, expected: set[str]) -> str:
    """Each schedule of an environment starts its function once. Raises Broken with what is not as it should be."""
    prefix = f"lyceum-{environment}-"
    found = start.schedules(admin, prefix)
    names = {one.name.removeprefix(prefix) for one in found}
    require(names == expected, f"{environment} starts by the clock {sorted(names)}, not {sorted(expected)}")
    now = datetime.now(UTC)
    for one in found:
        often, name = len(schedule.due(one.expression, now - HOUR, now)), one.name.removeprefix(prefix)
        require(often == STARTS[name], f"{one.name} is due {often} times in an hour, not {STARTS[name]}")
        (_purged if name == "purge-logs" else _asked)(admin, environment, one)
    return f"{environment}: {', '.join(sorted(names))}"


def _purged(admin: Session, environment: str, one: start.Schedule) -> None:
    """A stream of two and a half days ago goes, the one of this hour stays."""
    logs, now, group = admin.client("logs"), datetime.now(UTC), f"/lyceum/{environment}/application"
    old, young = (f"{SERVER}/{now - ago:%Y-%m-%dT%H}" for ago in (timedelta(hours=60), timedelta(0)))
    for name, at in ((old, now - timedelta(hours=60)), (young, now)):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        event = {"timestamp": int(at.timestamp() * 1000), "message": "of a server"}
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=[event])
    _ran(one, start.start(admin.url, one))
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=SERVER)["logStreams"]
    left = [stream["logStreamName"] for stream in streams]
    require(left == [young], f"{one.name} left {left} of {old} and {young}")
    logs.delete_log_stream(logGroupName=group, logStreamName=young)
    _logged(admin, f"/aws/lambda/{one.name}", '"message": "purged"')


def _asked(admin: Session, environment: str, one: start.Schedule) -> None:
    """A page that comes is told as one. The name of the domain leads nowhere here: a page of our own stands for it."""
    before = _answered(admin, environment)
    with _served() as url:
        _ran(one, start.start(admin.url, one, {"CANARY_URL": url}))
    told = tuple(now - then for now, then in zip(_answered(admin, environment), before, strict=True))
    require(told == (1.0, 1.0), f"{one.name} told CloudWatch {told[0]:g} in {told[1]:g} numbers of a page that came")
    _logged(admin, f"/aws/lambda/{one.name}", '"answered": true')


def _answered(admin: Session, environment: str) -> tuple[float, float]:
    """The sum of what was told of pages in the last hour, and how many numbers that were."""
    now = datetime.now(UTC)
    points = admin.client("cloudwatch").get_metric_statistics(
        Namespace=f"Lyceum/{environment}", MetricName="pages-answered", StartTime=now - HOUR,
        EndTime=now + timedelta(minutes=1), Period=60, Statistics=["Sum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    return sum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)


def _ran(one: start.Schedule, ran: Ran) -> None:
    last = (ran.failed.splitlines() or [""])[-1]
    require(not ran.failed, f"{one.name} started {ran.function}, which failed: {last}")


def _logged(admin: Session, group: str, words: str) -> None:
    events = admin.client("logs").filter_log_events(logGroupName=group)["events"]
    require(any(words in event["message"] for event in events), f"{group} says nothing of {words}")


@contextmanager
def _served() -> Iterator[str]:
    """A page of the platform on 127.0.0.1."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
