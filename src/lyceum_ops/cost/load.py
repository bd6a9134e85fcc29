"""The load: how many learn, how long they watch, and what that asks of AWS, with every assumption in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from lyceum_ops.errors import Usage

HOURS = Decimal(730)  # of a month, as AWS's own calculator counts
MINUTES = HOURS * 60


@dataclass(frozen=True)
class Assumption:
    """A number that the estimate rests on, and where it comes from or why it was chosen."""

    name: str
    value: Decimal
    unit: str
    why: str


def _assumption(name: str, value: str, unit: str, why: str) -> Assumption:
    return Assumption(name, Decimal(value), unit, why)


ASSUMPTIONS = (
    _assumption("video_mb_hour", "450", "MB an hour of video",
                "1 Mbit/s: a speaker and slides at 720p. Screen recordings as in the sample course need a quarter"),
    _assumption("report_seconds", "10", "s between two reports of progress",
                "REPORT_EVERY in src/lyceum/progress/static/progress/player.js"),
    _assumption("report_kb", "2", "KB a report, both ways, with headers", "a JSON body of a few hundred bytes"),
    _assumption("report_write_units", "1", "DynamoDB write units a report",
                "one UpdateItem (decision 0002), whose item stays below 1 KB in lessons of up to 25 minutes; a late "
                "report takes two"),
    _assumption("pages_hour", "20", "pages an hour of video", "outline, lessons and the way between; a guess"),
    _assumption("page_requests", "3", "requests a page", "the page and what the browser has not kept; a guess"),
    _assumption("page_kb", "80", "KB a page", "HTML, style and script, partly kept by the browser; a guess"),
    _assumption("page_read_units", "2", "DynamoDB read units a page", "one consistent Query, a course of up to 8 KB"),
    _assumption("segments_hour", "60", "requests to the bucket an hour of video",
                "browsers fetch ranges of some MB; captions and posters"),
    _assumption("connections_hour", "4", "new connections to the load balancer an hour of video",
                "it keeps an idle one for 60 s, and reports come every 10 s"),
    _assumption("cpu_ms_request", "30", "ms of one vCPU a request", "not measured on a t2.micro yet"),
    _assumption("idle_cpu_percent", "3", "percent of one vCPU of a server that idles", "agents and health checks"),
    _assumption("busy_share", "0.6", "share of the hours watched that falls into busy hours", "evenings; a guess"),
    _assumption("busy_hours", "120", "busy hours a month", "four a day"),
    _assumption("library_hours", "100", "hours of video in the bucket", "five courses of 20 hours"),
    _assumption("library_churn", "0.1", "share of the library replaced in a month",
                "old versions are kept for 28 days"),
    _assumption("uploads", "2000", "objects written to the bucket of content a month", "a guess"),
    _assumption("releases_gb", "0.5", "GB of releases", "25 of them, 20 MB each"),
    _assumption("lessons_learner", "40", "lessons a learner has begun, an item of 1 KB each", "two courses"),
    _assumption("files_mb_learner", "20", "MB of shared files a learner", "not in use yet: what it may become"),
    _assumption("files_turnover", "0.5", "share of the shared files that is read, and written, in a month", "a guess"),
    _assumption("database_gb", "2", "GB in the database", "accounts, courses and grades of some thousand learners"),
    _assumption("weekly_change", "0.2", "share of the data that a weekly backup finds changed", "a guess"),
    _assumption("request_log_kb", "0.5", "KB a request in a log: the platform's, and the load balancer's",
                "a line of JSON; the load balancer's, packed, is less"),
    _assumption("system_log_gb", "0.1", "GB of system log a server", "a guess"),
    _assumption("database_log_gb", "0.1", "GB of database log", "statements above a second, connections"),
    _assumption("database_metrics_gb", "0.27", "GB of enhanced monitoring at one point a minute",
                "AWS's example for a small instance, from memory"),
    _assumption("sessions_log_gb", "0.02", "GB of operators' sessions", "an hour a week"),
    _assumption("firewall_log_share", "0.02", "share of the requests that the firewall logs", "blocked or counted"),
    _assumption("firewall_log_kb", "2", "KB a request in the firewall's log", "from memory"),
    _assumption("refused_flow_gb", "0.2", "GB of flow log about what was refused", "scanners at the public addresses"),
    _assumption("flow_kb_request", "0.3", "KB of flow log a request, where all traffic is logged",
                "some records of 120 bytes on both sides of each hop, shared by the requests of ten minutes"),
    _assumption("audit_events", "300000", "calls that the audit trail writes down a month",
                "agents, purge and backups; deployments beside them"),
    _assumption("audit_event_kb", "1.5", "KB an event of the audit trail", "from memory"),
    _assumption("nat_gb_server", "2", "GB a server exchanges with AWS's other services",
                "updates, metrics, sessions, secrets; S3 and DynamoDB have gateway endpoints. Logs come on top"),
    _assumption("agent_metrics", "2", "metrics of the agent, by group", "mem_used_percent and disk_used_percent"),
    _assumption("detailed_metrics", "7", "metrics of detailed monitoring a server",
                "as AWS counts an instance without volumes of its own"),
    _assumption("key_minutes", "5", "minutes between two requests to a key", "services keep a data key about so long"),
    _assumption("secret_calls", "1000", "calls a month and secret", "when a server starts, and when a login fails"),
    _assumption("purge_seconds", "2", "s a run of the purge", "tests/functions: well below it"),
    _assumption("canary_seconds", "1", "s a run of the canary", "a page, and a call to CloudWatch; a guess"),
    _assumption("alarm_letters", "50", "letters about alarms a month", "both of going off and of coming back"),
    _assumption("releases_month", "20", "runs of the pipeline a month", "one a working day"),
    _assumption("checks_month", "40", "pull requests, and changes of them, that are checked a month", "two a release"),
    _assumption("verify_minutes", "25", "minutes that verifying takes", "the suites that need no root; a guess"),
    _assumption("stage_minutes", "4", "minutes of any other build of a run", "a machine's start included; a guess"),
    _assumption("letters_learner", "4", "letters a learner a month", "sign-up, passwords, notices"),
)  # fmt: skip


@dataclass(frozen=True)
class Load:
    """How many learners, and hours of video that each of them watches in a month."""

    learners: int
    hours: Decimal
    changed: Mapping[str, Decimal] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, learners: int, hours: float | Decimal, assume: Mapping[str, str] | None = None) -> Load:
        """A load that can be. Raises Usage for what no month has, or for an assumption that is none."""
        hours = Decimal(str(hours))
        if not 0 <= learners <= 100_000_000:
            raise Usage(f"--learners takes a number from 0 to 100000000; got {learners}.")
        if not (hours.is_finite() and 0 <= hours <= HOURS):
            raise Usage(f"--video-hours takes 0 to {HOURS}, the hours of a month; got {hours}.")
        known = {one.name for one in ASSUMPTIONS}
        changed: dict[str, Decimal] = {}
        for name, text in (assume or {}).items():
            if name not in known:
                raise Usage(f"There is no assumption named {name!r}.", "docs/cost.md lists them.")
            try:
                value = Decimal(text)
            except InvalidOperation:
                value = Decimal(-1)
            least = Decimal(0) if name not in DIVISORS else Decimal("0.001")
            if not (value.is_finite() and value >= least):
                raise Usage(f"--assume {name} takes a number from {least}; got {text!r}.")
            changed[name] = value
        return cls(learners, hours, changed)

    def __str__(self) -> str:
        return f"{self.learners} learners, {self.hours.normalize():f} h each"


# What is divided by must not be nothing.
DIVISORS = {"report_seconds", "busy_hours", "key_minutes"}
LOADS = (Load(50, Decimal(10)), Load(500, Decimal(10)))
KB_OF_GB = Decimal(1024 * 1024)


class Demand:
    """What a load asks for in a month: counts of requests, and GB."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.of = {one.name: one.value for one in ASSUMPTIONS} | dict(load.changed)
        of = self.of
        self.learners = Decimal(load.learners)
        self.watched = self.learners * load.hours
        self.reports = self.watched * 3600 / of["report_seconds"]
        self.pages = self.watched * of["pages_hour"]
        self.requests = self.reports + self.pages * of["page_requests"]
        self.video_gb = self.watched * of["video_mb_hour"] / 1024
        self.pages_gb = (self.reports * of["report_kb"] + self.pages * of["page_kb"]) / KB_OF_GB
        self.library_gb = of["library_hours"] * of["video_mb_hour"] / 1024 * (1 + of["library_churn"])
        self.progress_gb = self.learners * of["lessons_learner"] / KB_OF_GB
        self.files_gb = self.learners * of["files_mb_learner"] / 1024
        self.request_log_gb = self.requests * of["request_log_kb"] / KB_OF_GB
        self.firewall_log_gb = self.requests * of["firewall_log_share"] * of["firewall_log_kb"] / KB_OF_GB
        self.audit_gb = of["audit_events"] * of["audit_event_kb"] / KB_OF_GB
        # In vCPU-hours, and vCPUs at work on average in a busy hour.
        self.cpu_hours = self.requests * of["cpu_ms_request"] / 3_600_000
        self.busy_cpus = self.cpu_hours * of["busy_share"] / of["busy_hours"]
