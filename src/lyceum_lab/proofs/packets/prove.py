"""`./lyceum prove packets`: the applied network, built of namespaces, lets pass what the model lets pass, and drops the
rest; and each of its rules is missed by a packet when it is taken away.
"""

from __future__ import annotations

import os
import time

from lyceum_lab import paths
from lyceum_lab.cloud.network import namespaces
from lyceum_lab.proofs.network import expected
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.prove import applied, known, read_whole
from lyceum_lab.proofs.network.read import Session
from lyceum_lab.proofs.packets import trials
from lyceum_lab.proofs.packets.trials import Removal, Scene, Tried
from lyceum_lab.proofs.packets.worlds import acls_open, groups_open
from lyceum_lab.proofs.report import Report, listed, require
from lyceum_ops.console import out

PROMISES = {
    "equal": "between every pair of hosts, on every port tried, packets pass where the model says so and nowhere else",
    "acls": "the same with every security group open: the network ACLs are alone",
    "groups": "the same with every network ACL open: the security groups are alone",
    "removed": "each rule that is taken away is missed by a connection, and named, or its justification says why not",
}


def prove(environment: str = "dev", *, running: bool = False) -> int:
    """Run the proof. Returns the exit code; raises LyceumError without root, or when there is nothing to look at."""
    known(environment)
    namespaces.require()
    with applied(environment, running=running) as session:
        return prove_on(session, environment)


def prove_on(session: Session, environment: str) -> int:
    """Run the proof on what is applied already. Returns the exit code."""
    model = Model(read_whole(session, environment), expected.ENVIRONMENTS[environment])
    return prove_model(model, f"packets-{environment}-{os.getpid()}")


def prove_model(model: Model, name: str) -> int:
    """Run the proof on a network that was read. `name` tells its namespaces from those of others."""
    began, report, folder = time.monotonic(), Report(PROMISES), paths.HOME / name
    removals: list[Removal] = []
    with trials.scene(model, folder) as there:
        out.print(f"The network is up after {time.monotonic() - began:.1f} s.")
        if report.try_("equal", lambda: _equal(there)):
            removals += trials.remove_allows(there)
    with trials.scene(Model(groups_open(model.topology), model.given), folder) as there:
        if report.try_("acls", lambda: _equal(there)):
            removals += trials.remove_denies(there)
    with trials.scene(Model(acls_open(model.topology), model.given), folder) as there:
        report.try_("groups", lambda: _equal(there))
    if removals:
        report.try_("removed", lambda: _removed(removals))
    out.print(f"Building and proving took {time.monotonic() - began:.1f} s.")
    return report.close()


def _equal(there: Scene) -> str:
    tried = trials.everything(there)
    wrong: list[Tried] = [one for one in tried if one.differs]
    require(not wrong, f"{len(wrong)} of {len(tried)}: {listed((str(one) for one in wrong), 5)}")
    passed = sum(one.passed for one in tried)
    require(passed > 0, "not one packet passed")
    return (
        f"{len(there.model.pairs)} pairs, {len(there.ports())} ports, TCP and UDP: {len(tried)} connections tried, "
        f"{passed} passed, {len(tried) - passed} dropped"
    )


def _removed(removals: list[Removal]) -> str:
    wrong = [str(one) for one in removals if one.faulty]
    require(not wrong, f"{len(wrong)} of {len(removals)}: {listed(wrong, 5)}")
    excused = [one for one in removals if one.justified]
    return (
        f"{len(removals)} removed, {sum(bool(one.noticed) for one in removals)} noticed and named, "
        f"{len(excused)} justified"
    )
