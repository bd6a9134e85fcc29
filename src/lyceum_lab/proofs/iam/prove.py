"""`./lyceum prove iam`: the promises about permissions.

They need an account in which the environments are applied, and the same once they are destroyed, because a destroy asks
for rights of its own. `./lyceum prove apply` has both, and holds the promises on its way; alone, they are applied and
destroyed for them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam import actions
from lyceum_lab.proofs import flows
from lyceum_lab.proofs.cloud import Cloud, account
from lyceum_lab.proofs.iam import attempts, parliament, reasons, roles, trust
from lyceum_lab.proofs.iam.account import asked_by, decisions, documents, sizes, statements
from lyceum_lab.proofs.iam.minimal import minimal, narrow
from lyceum_lab.proofs.iam.roles import Place
from lyceum_lab.proofs.report import Report, listed, require
from lyceum_ops.console import out, step
from lyceum_ops.terraform import Inputs

PROMISES = {
    "sizes": "every policy of the account is within AWS's limits",
    "linted": "parliament finds nothing against any of them that has no reason",
    "trust": "each role is become by the service or the user that it is for, on this account's behalf",
    "works": "each role of an environment may do what it does",
    "contained": "no role of an environment can do more, whatever rights it were given",
    "needed": "each part of those roles' rights is noticed when it is taken away, or has its reason",
    "enough": "dev and prod were applied, changed and destroyed by the deployer with every call decided",
    "second factor": "the user's key opens nothing but the deployer role, and that only with the second factor",
    "own": "what the deployer may do to its own project's resources, it may",
    "escalation": "the deployer cannot make itself, or anything it makes, more than it is",
    "minimal": "each part of the deployer's rights is noticed when it is taken away, or has its reason",
    "narrow": "each part of the deployer's rights is noticed when it is widened",
}
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer"
ENVIRONMENTS = ("dev", "prod")


class Proof:
    """The promises, in the two states of the account in which they can be tried. `seconds` is what they took."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.report, self.seconds = cloud, Report(PROMISES), 0.0

    def on_applied(self) -> bool:
        """While the environments are there. Returns whether all was kept."""
        began, admin, try_ = time.monotonic(), self.cloud.admin, self.report.try_
        try_("sizes", lambda: sizes(admin))
        try_("linted", lambda: parliament.linted(documents(admin.client("iam"))))
        try_("trust", lambda: trust.trusted(admin.client("iam"), ENVIRONMENTS))
        for environment in ENVIRONMENTS:
            place = Place(environment, admin, self.cloud.folder, self.cloud.logs / "platform.log")
            if try_("works", partial(roles.works, place)):
                try_("contained", partial(roles.contained, place))
                try_("needed", partial(roles.needed, place))
        self.seconds += time.monotonic() - began
        return all(self.report.found.values())

    def on_destroyed(self) -> bool:
        """Once they are gone again. Prints the closing line; returns whether all was kept, before and now."""
        began, cloud, try_ = time.monotonic(), self.cloud, self.report.try_
        try_("enough", lambda: _enough(cloud))
        try_("second factor", lambda: attempts.second_factor(cloud))
        foreign = attempts.others(cloud.admin)
        try_("own", lambda: attempts.all_allowed(cloud, foreign))
        try_("escalation", lambda: attempts.all_refused(cloud, foreign))
        rights, asked = statements(cloud.admin), asked_by(cloud.endpoint).get(DEPLOYER, [])
        try_("minimal", lambda: minimal(rights, asked, reasons.UNSEEN))
        try_("narrow", lambda: narrow(rights, asked, reasons.AS_WIDE))
        _figures(cloud)
        self.seconds += time.monotonic() - began
        out.print(f"The checks of permissions took {self.seconds:.1f} s.")
        return self.report.close() == 0


def prove() -> int:
    """Run the proof on an account of its own. Returns the exit code."""
    with account("iam", enforce=True) as cloud:
        proof = Proof(cloud)
        with ThreadPoolExecutor() as pool:
            with step("apply dev and prod side by side, as the deployer"):
                for running in [pool.submit(_apply, cloud, name) for name in ENVIRONMENTS]:
                    running.result()
            proof.on_applied()
            with step("change both, and destroy them"):
                for running in [pool.submit(_change_and_destroy, cloud, name) for name in ENVIRONMENTS]:
                    running.result()
        return 0 if proof.on_destroyed() else 1


CHANGES = {
    "servers": '{instance_type="t3.micro", max=3}', "database": '{instance_class="db.t4g.small"}',
    "session_retention_days": "30", "backup_retention_days": "35", "protected": "false",
}  # fmt: skip


def _apply(cloud: Cloud, name: str) -> None:
    root, inputs = cloud.stack.platform(name, log=cloud.logs / f"{name}.log")
    root.apply(root.plan(inputs))


def _change_and_destroy(cloud: Cloud, name: str) -> None:
    root, inputs = cloud.stack.platform(name, log=cloud.logs / f"{name}.log")
    values = {**inputs.values, **CHANGES}
    if name == "dev":  # open to its operators; the domain that production has is open to everybody
        values["operator_cidrs"] = '["203.0.113.0/24", "198.51.100.7/32"]'
    flows.change(root.root.folder)
    changed = Inputs(inputs.files, values)
    root.apply(root.plan(changed))
    root.apply(root.plan(changed, destroy=True))


def _enough(cloud: Cloud) -> str:
    told = decisions(cloud.endpoint)
    refused = {one["action"] for one in told["refused"] if "/lyceum-deployer/" in one["who"]}
    require(not refused, f"refused: {listed(sorted(refused), 20)}")
    require(told["calls"] > 1000, f"only {told['calls']} calls were decided")
    return f"{told['calls']} calls, {told['decisions']} decisions; none of the deployer's was refused"


def _figures(cloud: Cloud) -> None:
    """What was decided, and what the decisions leave out."""
    told = decisions(cloud.endpoint)
    without = sum(told["without_resource"].values())
    out.print(
        f"{told['calls']} calls, {told['decisions']} decisions, {without} of them on a resource not told: "
        f"{listed(told['without_resource'], 20) or 'none'}.",
        markup=False,
    )
    out.print(f"Actions and their resources: {actions.source()}.", markup=False)
