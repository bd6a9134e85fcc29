"""`./lyceum prove watch`: the promises of observation, on an account in which the environments are applied.

`./lyceum prove apply` has one, and holds them on its way; alone, the environments are applied for them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lyceum_lab.proofs.cloud import Cloud, account
from lyceum_lab.proofs.report import Report
from lyceum_lab.proofs.watch import alarms, audit, clock, logs, snapshot
from lyceum_ops.console import out, step

PROMISES = {
    "complete": "every alarm is known, has its page, and watches what is published under the dimensions it names",
    "rings": "every alarm of an environment rings when it has to, not one data point sooner, recovers, and is heard",
    "normal": "a day of the deployer's and everybody's ordinary work raises no alarm of the audit",
    "raised": "each attack raises its alarms and no others",
    "two days": "the purge keeps 48 hours of the system and application logs, no more than 49, and touches no others",
    "clock": "each schedule starts its function, which as its own role does what it is for, and says so in its log",
    "snapshot": "what the suites alarms and audit break, to see it noticed, is what is applied",
}
ENVIRONMENTS = ("dev", "prod")
# What starts by the clock. A canary needs a domain to ask for.
CLOCK = {"dev": {"purge-logs"}, "prod": {"purge-logs", "canary"}}


def prove_on(cloud: Cloud, *, hours: int = logs.WEEK) -> bool:
    """The promises, while the environments are there; so many hours pass for the logs. Prints the closing line.

    Returns whether all were kept.
    """
    report, admin, began = Report(PROMISES), cloud.admin, time.monotonic()
    calls = (cloud.logs / "calls.jsonl").read_text().splitlines()
    report.try_("complete", lambda: alarms.complete(admin, ENVIRONMENTS))
    for environment in ENVIRONMENTS:
        report.try_("rings", partial(alarms.all_ring, admin, environment))
    report.try_("normal", lambda: audit.normal(admin, calls))
    report.try_("raised", lambda: audit.raised(admin))
    # The two are made by the same code.
    report.try_("two days", lambda: logs.two_days(admin, "dev", hours=hours))
    for environment, expected in CLOCK.items():
        report.try_("clock", partial(clock.started, admin, environment, expected))
    report.try_("snapshot", lambda: snapshot.same(admin))
    out.print(f"The checks of alarms, audit and logs took {time.monotonic() - began:.1f} s.")
    return report.close() == 0


def prove(*, renew: bool = False) -> int:
    """Run the proof on an account of its own; `renew` the snapshot first. Returns the exit code."""
    with account("watch", enforce=True) as cloud:
        with ThreadPoolExecutor() as pool, step("apply dev and prod side by side, as the deployer"):
            for running in [pool.submit(_apply, cloud, name) for name in ENVIRONMENTS]:
                running.result()
        if renew:
            out.print(snapshot.write(cloud.admin))
        return 0 if prove_on(cloud) else 1


def _apply(cloud: Cloud, name: str) -> None:
    root, inputs = cloud.stack.platform(name, log=cloud.logs / f"{name}.log")
    root.apply(root.plan(inputs))
