"""`./lyceum prove apply`: the exact code of dev and prod is applied side by side, changed as operators change it, and
destroyed again, by the code that operates AWS (lyceum_ops), as the deployer that bootstrap made, with every call
decided by the account's policies. What is applied serves the proofs of the network and of permissions as well.

An empty plan proves nothing about a field that the emulator merely echoes. The shares of moto's own answers, and the
echoed fields, are therefore part of what is printed.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lyceum_lab import paths
from lyceum_lab.documents.diagram import check, trials
from lyceum_lab.documents.diagram.pages import pages
from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.pages import page
from lyceum_lab.proofs import cost, flows
from lyceum_lab.proofs.cloud import Cloud, account
from lyceum_lab.proofs.iam.prove import Proof as Permissions
from lyceum_lab.proofs.network import prove as network
from lyceum_lab.proofs.network.read import read
from lyceum_lab.proofs.report import Broken, Report, listed, require
from lyceum_lab.proofs.watch import prove as watch
from lyceum_lab.rehearsal import infrastructure
from lyceum_ops.changes import Change, Plan, resources
from lyceum_ops.console import out
from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import die_with_parent
from lyceum_ops.roots import Platform
from lyceum_ops.terraform import Event, Inputs, Tally

PROMISES = {
    "applied": "the exact code of dev and of prod is applied side by side, as the deployer",
    "interrupted": "an apply that is cut short half way is finished by the next one",
    "empty": "a second plan changes nothing, in dev and in prod",
    "roles": "what runs in dev and in prod may do what it does and nothing more, and is become by nobody else",
    "network": "the applied network of dev and of prod lets pass what must and nothing else, and misses each rule",
    "diagram": "the diagram shows the types, flows, rules and ranges that are applied, no others, and misses each",
    "watch": "every alarm rings when it has to and is heard, attacks are told from work, logs are kept for two days",
    "secrets": "no state holds a value of a secret",
    "changes": "a change of each kind that operators make is planned as expected, and leaves an empty plan",
    "release": "a release outlives Terraform: the plan stays empty, and a changed template keeps the live tag",
    "protected": "prod refuses to be destroyed: while it is protected, and without its name",
    "rights": "the deployer's rights sufficed for all of it, lead no further, and each is missed when it goes",
    "destroyed": "what is destroyed is gone: the account holds what bootstrap made and nothing else",
    "bootstrap": "what the account has once can be changed; its protections lifted, it goes too and leaves nothing",
    "fillers": "each filler that the emulator has for Terraform is used",
}


class Cut(Exception):
    """The apply is cut short on purpose."""


class Scissors:
    """Cuts an apply short once half of it is done and the rest only waits: as most of an apply's time is waiting.

    What AWS is being asked for in the very moment of a cut can be lost to the state (docs/unproven.md); that moment is
    kept out of here, so that the proof shows the same every time.
    """

    WAITING = 3.0  # seconds: a call has been answered by then, and its resource has an id

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.done = 0
        self.begun: dict[str, float] = {}
        self.ended = 0.0

    def hear(self, event: Event) -> None:
        """Raise `Cut` when it is time."""
        address = event.get("hook", {}).get("resource", {}).get("addr", "")
        match event.get("type"):
            case "apply_start":
                self.begun[address] = time.monotonic()
            case "apply_complete" | "apply_errored":
                self.begun.pop(address, None)
                self.done += 1
                # What waited for it begins now, and is heard of later.
                self.ended = time.monotonic()
        waiting = all(time.monotonic() - then > self.WAITING for then in (self.ended, *self.begun.values()))
        if self.begun and waiting and self.done * 2 >= self.wanted:
            raise Cut


@dataclass
class Environment:
    """One environment of the proof, and how long its parts took, in seconds."""

    name: str
    root: Platform
    inputs: Inputs
    seconds: dict[str, float] = field(default_factory=dict)
    resources: int = 0

    def timed(self, what: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        try:
            return work()
        finally:
            self.seconds[what] = self.seconds.get(what, 0) + time.monotonic() - began

    def plan(self, **values: str) -> Plan:
        """A plan with other values for some variables."""
        return self.root.plan(Inputs(self.inputs.files, {**self.inputs.values, **values}))

    def apply(self, plan: Plan, listener: Callable[[Event], None] = lambda _: None) -> str:
        tally = Tally()

        def listen(event: Event) -> None:
            tally.add(event)
            listener(event)

        self.root.apply(plan, listener=listen)
        return str(tally)


@dataclass(frozen=True)
class Expected:
    """A change that operators make: the variables that ask for it, and what may be in its plan, as `action address`.

    Each pattern has to be found, and nothing may be found that no pattern matches.
    """

    what: str
    values: dict[str, str]
    patterns: tuple[str, ...]

    def hold_against(self, changes: Iterable[Change]) -> None:
        said = [f"{change.action} {change.address}" for change in changes]
        strange = [one for one in said if not any(re.fullmatch(pattern, one) for pattern in self.patterns)]
        missing = [pattern for pattern in self.patterns if not any(re.fullmatch(pattern, one) for one in said)]
        require(not strange, f"{self.what}: the plan also wants to {listed(strange)}")
        require(not missing, f"{self.what}: the plan lacks {listed(missing)}; it has {listed(said) or 'nothing'}")


CHANGES = (
    Expected(
        "another instance type", {"servers": '{instance_type="t3.micro"}'},
        (r"update module\.servers\.aws_launch_template\.server",),
    ),
    Expected(
        "one server more at most", {"servers": "{max=3}"},
        (
            r"update module\.servers\.aws_autoscaling_group\.servers",
            r'update module\.alarms\.aws_cloudwatch_metric_alarm\.this\["group-at-max"\]',
            r"update module\.alarms\.aws_cloudwatch_dashboard\.this",
        ),
    ),
    Expected(
        "a larger database", {"database": '{instance_class="db.t4g.small"}'},
        (r"update module\.database\.aws_db_instance\.this",),
    ),
    Expected(
        "another retention", {"session_retention_days": "30"},
        (r'update module\.logs\.aws_cloudwatch_log_group\.this\["sessions"\]',),
    ),
    Expected(
        "a fifth week of backups", {"backup_retention_days": "35"},
        (r"update module\.backup\.aws_backup_plan\.weekly",),
    ),
    Expected(
        "another operator", {"operator_cidrs": '["203.0.113.0/24", "198.51.100.7/32"]'},
        (
            r'create module\.network\.aws_vpc_security_group_ingress_rule\.flow\["visitors-.*-198\.51\.100\.7/32"\]',
            r'update module\.network\.aws_network_acl\.tier\["public"\]',
        ),
    ),
)  # fmt: skip
STATES = "lyceum-state-"
# The purge's first deletion comes after 49 of them. A week passes in `./lyceum test logs`, and in `prove watch`.
HOURS_OF_LOGS = 56
# A flow is a line of code, not a variable; so is its reason, which its rules carry as their description.
FLOW = Expected(
    "another flow, and another reason for one", {},
    (
        r'update module\.network\.aws_vpc_security_group_ingress_rule\.flow\["server-database-tcp-5432"\]',
        r'update module\.network\.aws_vpc_security_group_egress_rule\.flow\["server-database-tcp-5432"\]',
        r'create module\.network\.aws_vpc_security_group_ingress_rule\.flow\["bastion-files-tcp-2049"\]',
        r'create module\.network\.aws_vpc_security_group_egress_rule\.flow\["bastion-files-tcp-2049"\]',
        r'update module\.network\.aws_network_acl\.tier\["data"\]',
        r'update module\.network\.aws_network_acl\.tier\["management"\]',
    ),
)  # fmt: skip


def prove() -> int:
    """Run the proof. Returns the exit code."""
    report = Report(PROMISES)
    began = time.monotonic()
    with account("apply", enforce=True) as cloud:
        permissions = Permissions(cloud)
        dev, prod = _environment(cloud, "dev"), _environment(cloud, "prod")
        # The threads live to the end: Linux would end Terraform with the thread that started it.
        with ThreadPoolExecutor(max_workers=2) as pool:
            whole = pool.submit(_apply, prod)
            report.try_("interrupted", lambda: _apply_in_two_halves(dev))
            whole.result()
            report.try_("applied", lambda: _both_applied(dev, prod))
            both = (dev, prod)
            report.try_("empty", lambda: "; ".join(pool.map(_second_plan, both)))
            report.try_("network", lambda: _network(cloud))
            report.try_("diagram", lambda: _diagram(cloud, dev, prod))
            report.try_("roles", lambda: _kept(permissions.on_applied()))
            report.try_("watch", lambda: _kept(watch.prove_on(cloud, hours=HOURS_OF_LOGS)))
            report.try_("secrets", lambda: _no_secret_in_states(cloud))
            report.try_("protected", lambda: _refuses(cloud, prod))
            going = pool.submit(_destroy_protected, cloud, prod)
            report.try_("changes", lambda: _change(dev))
            report.try_("release", lambda: _release(cloud, dev))
            report.try_("destroyed", lambda: _nothing_left(cloud, dev, going))
            report.try_("rights", lambda: _kept(permissions.on_destroyed()))
            tried = _more(cloud, _by_kind(cloud.before))
            report.try_("bootstrap", lambda: _bootstrap(cloud, tried))
            report.try_("fillers", lambda: _fillers(cloud))
        for environment in both:
            seconds = ", ".join(f"{what} {value:.0f} s" for what, value in environment.seconds.items())
            out.print(f"{environment.name}: {environment.resources} resources; {seconds}", markup=False)
        _shares(cloud)
        out.print(f"All of it took {time.monotonic() - began:.0f} s.")
    return report.close()


def _environment(cloud: Cloud, name: str) -> Environment:
    root, inputs = cloud.stack.platform(name, log=cloud.logs / f"{name}.log")
    return Environment(name, root, inputs)


def _apply(environment: Environment) -> str:
    plan = environment.timed("plan", environment.plan)
    return str(environment.timed("apply", lambda: environment.apply(plan)))


def _apply_in_two_halves(environment: Environment) -> str:
    plan = environment.plan()
    wanted = len(plan.changes)
    scissors = Scissors(wanted)
    try:
        environment.apply(plan, scissors.hear)
    except Cut:
        pass
    else:
        raise Broken("it was not cut short")
    rest = environment.timed("plan", environment.plan)
    # What was waited for when it was cut is made anew, hence replaced; nothing that was finished is begun again.
    require(0 < len(rest.changes) < wanted, f"{len(rest.changes)} of {wanted} resources were left to do")
    environment.timed("apply", lambda: environment.apply(rest))
    return f"cut after {scissors.done} of {wanted} resources, {len(rest.changes)} left for the next apply"


def _both_applied(dev: Environment, prod: Environment) -> str:
    for environment in (dev, prod):
        environment.resources = _count(environment)
        require(environment.resources > 100, f"{environment.name} has {environment.resources} resources only")
        # What the estimate of costs counts was planned; here it stands applied.
        cost.hold_against(environment.name, environment.root.root.show())
    return ", ".join(f"{one.name} {one.resources} resources" for one in (dev, prod))


def _count(environment: Environment) -> int:
    module = environment.root.root.show().get("values", {}).get("root_module", {})
    return sum(1 for _ in resources(module, mode="managed"))


def _second_plan(environment: Environment) -> str:
    plan: Plan = environment.timed("second plan", environment.plan)
    environment.root.forget(plan)
    require(plan.empty, f"{environment.name}: {plan.counts()}: {listed(change.address for change in plan.changes)}")
    return f"{environment.name}: {environment.resources} resources unchanged"


def _network(cloud: Cloud) -> str:
    """`./lyceum prove network` on what is applied here, so that it need not be applied once more for it."""
    broken = [name for name in ("dev", "prod") if network.prove_on(cloud.admin, name)]
    require(not broken, f"see above, of {listed(broken)}")
    return f"{len(network.PROMISES)} promises in each"


def _diagram(cloud: Cloud, dev: Environment, prod: Environment) -> str:
    roots = (cloud.owner.bootstrap(), dev.root, prod.root)
    applied = set().union(*(check.kinds_of_state(one.root.show()) for one in roots))
    topologies = (read(cloud.admin, dev.name), read(cloud.admin, prod.name))
    found = check.against(pages(), applied, topologies)
    require(not found, listed(found, 20))
    tried = trials.run(pages(), applied, topologies)
    unnoticed = [one.what for one in tried if not one.noticed]
    require(not unnoticed, f"taken away and not missed: {listed(unnoticed, 20)}")
    return f"{len(applied)} types of resources; {len(tried)} things taken away one at a time, each missed by name"


def _kept(kept: bool) -> str:
    """The outcome of another proof, or of a part of it, that was tried here."""
    require(kept, "see above")
    return ""


def _no_secret_in_states(cloud: Cloud) -> str:
    manager, s3 = cloud.admin.client("secretsmanager"), cloud.admin.client("s3")
    values = []
    for secret in manager.list_secrets()["SecretList"]:
        value = manager.get_secret_value(SecretId=secret["ARN"])["SecretString"]
        try:
            values += [str(one) for one in json.loads(value).values() if len(str(one)) > 15]
        except ValueError:
            values.append(value)
    require(len(values) >= 4, f"only {len(values)} secrets were found to look for")
    bucket = f"{STATES}{ACCOUNT}"
    states = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"] if one["Key"].endswith(".tfstate")]
    versions = 0
    for key in states:
        for version in s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]:
            if version["Key"] != key:  # the lock file of that state
                continue
            text = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read().decode()
            versions += 1
            require(not any(value in text for value in values), f"{key} holds one")
    return f"{len(values)} values looked for in {versions} versions of {len(states)} states"


def _change(environment: Environment) -> str:
    values: dict[str, str] = {}
    for expected in CHANGES:
        plan = environment.plan(**expected.values)
        environment.root.forget(plan)
        expected.hold_against(plan.changes)
        values |= expected.values
    flows.change(environment.root.root.folder)
    plan = environment.plan()
    environment.root.forget(plan)
    FLOW.hold_against(plan.changes)
    # All of them at once: what each adds to the plan was seen above.
    values["servers"] = '{instance_type="t3.micro", max=3}'
    environment.inputs = Inputs(environment.inputs.files, {**environment.inputs.values, **values})
    tally = environment.timed("changes", lambda: environment.apply(environment.plan()))
    _second_plan(environment)
    return f"{len(CHANGES) + 1} kinds; done together: {tally}"


def _release(cloud: Cloud, environment: Environment) -> str:
    ec2 = cloud.admin.client("ec2")
    template = environment.root.outputs()["servers"]["launch_template_id"]

    def latest() -> dict[str, Any]:
        return dict(ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
                    ["LaunchTemplateVersions"][0])  # fmt: skip

    release = f"v-{secrets.token_hex(3)}"
    before = latest()
    tags = [
        {**one, "Tags": [t if t["Key"] != "Release" else {"Key": "Release", "Value": release} for t in one["Tags"]]}
        for one in before["LaunchTemplateData"]["TagSpecifications"]
    ]
    ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion=str(before["VersionNumber"]),
        LaunchTemplateData={"TagSpecifications": tags},
    )  # fmt: skip
    _second_plan(environment)
    changed = environment.plan(servers='{instance_type="t3.small", max=3}')
    environment.apply(changed)
    after = latest()
    live = [
        tag["Value"]
        for one in after["LaunchTemplateData"]["TagSpecifications"]
        for tag in one["Tags"]
        if tag["Key"] == "Release"
    ]
    require(after["LaunchTemplateData"]["InstanceType"] == "t3.small", "Terraform's change is not in the template")
    require(live == [release], f"Terraform's template says {live}, the live release is {release}")
    environment.inputs = Inputs(
        environment.inputs.files, {**environment.inputs.values, "servers": '{instance_type="t3.small", max=3}'}
    )
    return f"{release} is still the release after the instance type changed"


def _lyceum(cloud: Cloud, environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it, with the deployer's credentials, in a home of the environment's own."""
    values = [word for name, value in environment.inputs.values.items() for word in ("--var", f"{name}={value}")]
    home = cloud.folder / f"home-{environment.name}"
    done = subprocess.run(
        [str(paths.CHECKOUT / "lyceum"), *arguments, *values],
        env={**environment.root.root.terraform.environment(), "LYCEUM_HOME": str(home)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, preexec_fn=die_with_parent(),
    )  # fmt: skip
    with (cloud.logs / f"lyceum-{environment.name}.log").open("a") as log:
        log.write(f"$ ./lyceum {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done


def _refuses(cloud: Cloud, environment: Environment) -> str:
    before = _count(environment)
    for typed in (environment.name, "dev"):
        done = _lyceum(cloud, environment, "destroy", environment.name, "--yes-destroy", typed)
        require(done.returncode == 1, f"--yes-destroy {typed} ended with {done.returncode}")
        if typed == environment.name:
            require("protected=false" in done.stderr, f"the refusal does not say what to do: {done.stderr}")
    require(_count(environment) == before, "something was destroyed all the same")
    return f"{before} resources are still there, and the refusal names --var protected=false"


def _destroy_protected(cloud: Cloud, environment: Environment) -> None:
    """The way that operators go: lift the protection by its variable, apply, type the environment's name."""
    lifted = {**environment.inputs.values, "protected": "false"}
    environment.inputs = Inputs(environment.inputs.files, lifted)
    environment.timed("lift protection", lambda: environment.apply(environment.plan()))
    _destroy(cloud, environment)


def _destroy(cloud: Cloud, environment: Environment) -> None:
    done = environment.timed(
        "destroy",
        lambda: _lyceum(cloud, environment, "destroy", environment.name, "--yes-destroy", environment.name),
    )
    require(done.returncode == 0, f"{environment.name} was not destroyed: {done.stderr or done.stdout[-400:]}")


def _nothing_left(cloud: Cloud, dev: Environment, prod: Future[None]) -> str:
    _destroy(cloud, dev)
    prod.result()
    more = _more(cloud, _by_kind(cloud.before))
    require(not more, f"left over: {more}")
    kinds = sum(len(kinds) for kinds in cloud.before.values())
    return f"{kinds} kinds of resources, each as many as before"


def _by_kind(found: dict[str, dict[str, int]]) -> dict[str, int]:
    return {f"{service} {kind}": count for service, kinds in found.items() for kind, count in kinds.items()}


def _more(cloud: Cloud, before: dict[str, int]) -> dict[str, int]:
    """What there is beyond what there was `before`, by service and kind."""
    now = _by_kind(cloud.resources())
    return {kind: count - before.get(kind, 0) for kind, count in now.items() if count != before.get(kind, 0)}


BUDGET = Expected(
    "another budget, another address, and builds on another image",
    {
        "monthly_budget_usd": "500",
        "alarm_email": "another@lyceum.example",
        "pipeline": json.dumps({**infrastructure.PIPELINE, "image": "aws/codebuild/standard:6.0"}),
    },
    (
        r"update aws_budgets_budget\..*",
        r"replace module\.audit\.aws_sns_topic_subscription\.operator",
        r"replace module\.pipeline\[0\]\.aws_sns_topic_subscription\.operator",
        r'update module\.pipeline\[0\]\.aws_codebuild_project\.stage\["\w+"\]',
        r"update module\.pipeline\[0\]\.aws_codebuild_project\.check",
    ),
)  # fmt: skip
# What keeps the account's foundation from going by mistake, and what it says once somebody means it.
PROTECTIONS = {
    "bootstrap/state.tf": ("prevent_destroy = true", "prevent_destroy = false"),
    "modules/audit/bucket.tf": ("force_destroy = false", "force_destroy = true"),
}


def _bootstrap(cloud: Cloud, tried: dict[str, int]) -> str:
    """`tried` is there on purpose: what attempts at the deployer's rights made, by service and kind."""
    root = cloud.owner.bootstrap()
    inputs = Inputs(values={**infrastructure.BOOTSTRAP_VARIABLES, **BUDGET.values})
    plan = root.plan(inputs)
    BUDGET.hold_against(plan.changes)
    root.apply(plan)
    plan = root.plan(inputs)
    root.forget(plan)
    require(plan.empty, f"the second plan wants to {listed(f'{c.action} {c.address}' for c in plan.changes)}")
    try:
        root.forget(root.plan(inputs, destroy=True))
    except LyceumError:
        pass
    else:
        raise Broken("the bucket of the states does not refuse to be destroyed")
    for name, (kept, lifted) in PROTECTIONS.items():
        file = root.root.folder.parent / name
        require(kept in file.read_text(), f"{name} no longer says {kept!r}")
        file.write_text(file.read_text().replace(kept, lifted))
    # The bucket of the states has never lost a version, and goes with all of them.
    state = root.root.folder / "state.tf"
    named = f'bucket = "{STATES}'
    state.write_text(state.read_text().replace(named, f"force_destroy = true\n  {named}", 1))
    root.apply(root.plan(inputs))
    root.leave_bucket()
    root.apply(root.plan(inputs, destroy=True))
    left = {kind: count for kind, count in _more(cloud, tried).items() if not kind.startswith("route53 ")}
    require(not left, f"left over: {left}")
    return "changed, protected, destroyed: of the account only the domain's zone is left, which was there before"


def _gaps(cloud: Cloud) -> dict[str, Any]:
    return dict(page(cloud.endpoint, "/_lyceum/gaps"))


def _fillers(cloud: Cloud) -> str:
    entries = [entry for entry in _gaps(cloud)["fillers"] if entry["needed_by"] == "terraform"]
    unused = [f"{e['service']} {e['kind']} {'/'.join(e['operations'])}" for e in entries if not e["used"]]
    require(not unused, f"not used, so not needed: {listed(unused, 20)}")
    return f"{len(entries)} of them"


def _shares(cloud: Cloud) -> None:
    """Who answered, and what an empty plan therefore proves nothing about."""
    gaps = _gaps(cloud)
    counts = {by: gaps[by] for by in ("moto", "edited", "stubbed", "refused", "gap")}
    total = sum(counts.values())
    shares = ", ".join(f"{by} {count} ({100 * count / total:.1f} %)" for by, count in counts.items())
    out.print(f"{total} calls to the emulated AWS: {shares}", markup=False)
    out.print("An empty plan proves nothing about these, which the emulator echoes:")
    for entry in gaps["fillers"]:
        if entry["echoes"]:
            out.print(f"  {entry['service']}: {', '.join(entry['echoes'])}", markup=False)
        elif entry["kind"] in {"stub", "edit"} and entry["needed_by"] == "terraform":
            out.print(f"  {entry['service']}: {entry['kind']} of {', '.join(entry['operations'])}", markup=False)
