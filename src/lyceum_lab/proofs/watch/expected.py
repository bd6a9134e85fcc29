"""Which alarms there have to be, and what each must do: written by hand, so that a mistake has to be made twice.

A period of data is just bad, or as bad as may be without ringing: a threshold that moves to either side is noticed.
Metrics and dimensions are ours to say here as well; what is pushed under them reaches an alarm only if it looks there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

GIB, MIB = 1024.0**3, 1024.0**2
OK, ALARM, KEPT = "OK", "ALARM", "what it was"
# In the place of a number: the largest size of the group, and one less.
FULL, NOT_FULL = "full", "not full"

# The values of one metric in one period, each so many times.
Values = tuple[tuple[float | str, int], ...]


@dataclass(frozen=True)
class Watched:
    """A metric: `{env}` in its namespace is the environment, its dimensions are named by what they point at."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True)
class Expected:
    """One alarm. `bad` and `good` are periods of data, by metric; `silence` is what no data at all leads to."""

    name: str
    severity: str
    period: int
    needs: int
    metrics: Mapping[str, Watched]
    bad: Mapping[str, Values]
    good: tuple[Mapping[str, Values], ...]
    of: int = 0  # as many as it needs
    silence: str = OK
    logged: bool = False  # counted by a metric filter: pushed as lines of the platform's log
    environments: tuple[str, ...] = field(default=("dev", "prod"))

    @property
    def looks_at(self) -> int:
        return self.of or self.needs


def once(*values: float | str) -> Values:
    return tuple((value, 1) for value in values)


TARGETS = {"LoadBalancer": "balancer", "TargetGroup": "targets"}
DATABASE = {"DBInstanceIdentifier": "database"}
GROUP = {"AutoScalingGroupName": "group"}
TABLE = {"TableName": "table"}
PURGE = {"FunctionName": "purge"}
CANARY = {"FunctionName": "canary"}
VAULT = {"BackupVaultName": "vault"}
OPERATIONS = ("GetItem", "Query", "UpdateItem")


def _elb(name: str, dimensions: Mapping[str, str]) -> Watched:
    return Watched("AWS/ApplicationELB", name, dimensions)


def _own(name: str) -> Watched:
    """What we publish or count ourselves, without a dimension."""
    return Watched("Lyceum/{env}", name, {})


ASKED = {"answered": _own("pages-answered")}
REPORTS = {outcome: _own(f"progress-reports-{outcome}") for outcome in ("kept", "lost")}

ALARMS = (
    # Five failed minutes of ten, as far apart as may be; four are a blip, and a blip wakes nobody.
    Expected(
        "pages-fast-burn", "wake", 60, 5, ASKED,
        bad={"answered": once(0)}, good=({"answered": once(1)},), of=10, environments=("prod",),
    ),
    # Of a day's minutes twenty-one, not twenty; nor a day of which only half was asked in.
    Expected(
        "pages-slow-burn", "look", 86_400, 1, ASKED,
        bad={"answered": ((0, 21), (1, 1419))},
        good=({"answered": ((0, 20), (1, 1420))}, {"answered": ((1, 720),)}), environments=("prod",),
    ),
    # 8.64 % of the reports; not less of them, not nineteen of nineteen, and not one period of it alone.
    # Of twenty it is all the same whether any other was kept.
    *(
        Expected(
            "progress-fast-burn", "wake", 300, 2, REPORTS, bad=bad, logged=True,
            good=({"lost": once(20), "kept": once(212)}, {"lost": once(19)}, {"kept": once(100)}),
        )
        for bad in ({"lost": once(20), "kept": once(211)}, {"lost": once(20)})
    ),
    # 0.28 % of a day's reports. Published as they are, since the filter was seen at work above: a day of lines is long.
    Expected(
        "progress-slow-burn", "look", 86_400, 1, REPORTS,
        bad={"lost": once(8, 12), "kept": once(7122)},
        good=({"lost": once(20), "kept": once(7123)}, {"lost": once(19)}, {"kept": once(7000)}),
    ),
    # None ran; or all ran, and could not tell.
    *(
        Expected(
            "canary-missing", "look", 300, 3,
            {"runs": Watched("AWS/Lambda", "Invocations", CANARY), "errors": Watched("AWS/Lambda", "Errors", CANARY)},
            bad=bad, good=({"runs": once(5), "errors": once(4)}, {"runs": once(1)}),
            silence=ALARM, environments=("prod",),
        )
        for bad in ({"runs": once(0), "errors": once(0)}, {"runs": once(3, 2), "errors": once(5)})
    ),
    # Five in a hundred; not four, and not nineteen of nineteen, which is too few to say.
    Expected(
        "target-errors", "wake", 300, 2,
        {"errors": _elb("HTTPCode_Target_5XX_Count", TARGETS), "requests": _elb("RequestCount", TARGETS)},
        bad={"errors": once(2, 3), "requests": once(60, 40)},
        good=(
            {"errors": once(4), "requests": once(100)}, {"errors": once(19), "requests": once(19)},
            {"requests": once(100)},
        ),
    ),
    # Of a hundred requests five, wherever they failed; not of a hundred and one, and not four of four.
    Expected(
        "release-errors", "release", 60, 1,
        {
            "answered": _elb("HTTPCode_Target_5XX_Count", TARGETS),
            "refused": _elb("HTTPCode_ELB_5XX_Count", {"LoadBalancer": "balancer"}),
            "requests": _elb("RequestCount", TARGETS),
        },
        bad={"answered": once(2), "refused": once(1, 2), "requests": once(60, 40)},
        good=(
            {"answered": once(4), "requests": once(4)}, {"requests": once(100)},
            {"answered": once(2), "refused": once(3), "requests": once(101)},
        ),
    ),
    Expected(
        "balancer-errors", "look", 300, 2, {"errors": _elb("HTTPCode_ELB_5XX_Count", {"LoadBalancer": "balancer"})},
        bad={"errors": once(4, 6)}, good=({"errors": once(4, 5)},), of=3,
    ),
    # Of a hundred requests six are slow, or four; of nineteen all are.
    Expected(
        "latency", "look", 300, 3,
        {"latency": _elb("TargetResponseTime", TARGETS)},
        bad={"latency": ((0.1, 94), (1.0, 6))},
        good=({"latency": ((0.1, 96), (9.0, 4))}, {"latency": ((9.0, 19),)}, {"latency": ((0.9, 100),)}),
    ),
    Expected(
        "unhealthy-servers", "look", 60, 15, {"unhealthy": _elb("UnHealthyHostCount", TARGETS)},
        bad={"unhealthy": once(0, 1)}, good=({"unhealthy": once(0)},),
    ),
    Expected(
        "no-healthy-server", "wake", 60, 2, {"healthy": _elb("HealthyHostCount", TARGETS)},
        bad={"healthy": once(0)}, good=({"healthy": once(0, 1)},), silence=ALARM,
    ),
    Expected(
        "certificate-expiry", "look", 86_400, 1,
        {"days": Watched("AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": "certificate"})},
        bad={"days": once(22, 21)}, good=({"days": once(23, 22)},), silence=KEPT, environments=("prod",),
    ),
    Expected(
        "group-at-max", "look", 900, 12,
        {"servers": Watched("AWS/AutoScaling", "GroupInServiceInstances", GROUP)},
        bad={"servers": once(FULL, FULL)}, good=({"servers": once(FULL, NOT_FULL)},),
    ),
    Expected(
        "cpu-credits", "look", 300, 3, {"owed": Watched("AWS/EC2", "CPUSurplusCreditBalance", GROUP)},
        bad={"owed": once(0, 72)}, good=({"owed": once(71.9, 71.9)},),
    ),
    Expected(
        "server-memory", "look", 300, 3, {"used": Watched("Lyceum/{env}", "mem_used_percent", GROUP)},
        bad={"used": once(40, 90)}, good=({"used": once(89.9, 89.9)},),
    ),
    Expected(
        "release-memory", "release", 60, 1, {"used": Watched("Lyceum/{env}", "mem_used_percent", GROUP)},
        bad={"used": once(40, 85)}, good=({"used": once(84.9, 84.9)},),
    ),
    Expected(
        "server-disk", "look", 300, 3, {"used": Watched("Lyceum/{env}", "disk_used_percent", GROUP)},
        bad={"used": once(40, 80)}, good=({"used": once(79.9, 79.9)},),
    ),
    Expected(
        "application-errors", "look", 300, 1, {"errors": Watched("Lyceum/{env}", "application-errors", {})},
        bad={"errors": once(5)}, good=({"errors": once(4)},), logged=True,
    ),
    Expected(
        "database-cpu", "look", 300, 6, {"cpu": Watched("AWS/RDS", "CPUUtilization", DATABASE)},
        bad={"cpu": once(60, 100)}, good=({"cpu": once(59, 100)},),
    ),
    Expected(
        "database-connections", "look", 300, 2, {"taken": Watched("AWS/RDS", "DatabaseConnections", DATABASE)},
        bad={"taken": once(10, 80)}, good=({"taken": once(79, 79)},),
    ),
    Expected(
        "database-storage", "wake", 300, 2, {"free": Watched("AWS/RDS", "FreeStorageSpace", DATABASE)},
        bad={"free": once(2 * GIB, GIB)}, good=({"free": once(GIB + 1, GIB + 1)},),
    ),
    Expected(
        "database-memory", "look", 300, 3, {"free": Watched("AWS/RDS", "FreeableMemory", DATABASE)},
        bad={"free": once(0, 128 * MIB)}, good=({"free": once(0, 128 * MIB + 2)},),
    ),
    # Reads and writes together; a table that is not throttled reports neither.
    Expected(
        "progress-throttles", "look", 300, 3,
        {
            "reads": Watched("AWS/DynamoDB", "ReadThrottleEvents", TABLE),
            "writes": Watched("AWS/DynamoDB", "WriteThrottleEvents", TABLE),
        },
        bad={"reads": once(3), "writes": once(4, 3)}, good=({"writes": once(9)}, {"reads": once(9)}),
    ),
    Expected(
        "progress-errors", "look", 300, 2,
        {name: Watched("AWS/DynamoDB", "SystemErrors", {**TABLE, "Operation": f"={name}"}) for name in OPERATIONS},
        bad={"GetItem": once(2), "Query": once(1), "UpdateItem": once(2)},
        good=({"GetItem": once(4)}, {"Query": once(4)}, {"UpdateItem": once(4)}),
    ),
    Expected(
        "files-io", "look", 300, 3, {"limit": Watched("AWS/EFS", "PercentIOLimit", {"FileSystemId": "files"})},
        bad={"limit": once(10, 80)}, good=({"limit": once(79.9, 79.9)},),
    ),
    *(
        Expected(
            "backup-failed", "look", 3600, 1,
            {
                word: Watched("AWS/Backup", f"NumberOfBackupJobs{word}", VAULT)
                for word in ("Failed", "Aborted", "Expired")
            },
            bad={outcome: once(1)}, good=({"Failed": once(0), "Aborted": once(0), "Expired": once(0)},),
        )
        for outcome in ("Failed", "Aborted", "Expired")
    ),
    Expected(
        "purge-failed", "look", 3600, 1, {"errors": Watched("AWS/Lambda", "Errors", PURGE)},
        bad={"errors": once(0, 1)}, good=({"errors": once(0, 0)},),
    ),
    Expected(
        "purge-missing", "look", 3600, 2, {"runs": Watched("AWS/Lambda", "Invocations", PURGE)},
        bad={"runs": once(0)}, good=({"runs": once(1)},), silence=ALARM,
    ),
)  # fmt: skip
# The account's own: what raises each is in events.py.
OF_THE_ACCOUNT = (
    "bucket-policy-changes", "iam-changes", "network-acl-changes", "root-use", "security-group-changes",
    "sign-in-failures", "trail-changes", "unauthorized-calls",
)  # fmt: skip


def of(environment: str) -> Iterator[Expected]:
    """Those of an environment; one may be tried in several ways."""
    return (one for one in ALARMS if environment in one.environments)


def names(environment: str) -> set[str]:
    return {f"lyceum-{environment}-{one.name}" for one in of(environment)}


def account_names() -> set[str]:
    return {f"lyceum-audit-{name}" for name in OF_THE_ACCOUNT}
