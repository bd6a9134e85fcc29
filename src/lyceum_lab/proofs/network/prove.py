"""`./lyceum prove network`: the applied network, read back from the API, is held against the list of what must pass and
what must never; then each of its rules is taken away and widened in the model, and the list has to notice.

With --from, --to and --port it answers one question in words instead.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from lyceum_lab.proofs.cloud import account
from lyceum_lab.proofs.network import check, expected, removals
from lyceum_lab.proofs.network.check import Finding, Model
from lyceum_lab.proofs.network.read import Session, read, require_whole
from lyceum_lab.proofs.network.removals import Trial
from lyceum_lab.proofs.network.topology import PROTOCOLS, WITH_PORTS, Host, Topology
from lyceum_lab.proofs.network.verdict import Verdict, barriers, verdict
from lyceum_lab.proofs.report import Report, listed, require
from lyceum_lab.rehearsal import infrastructure, state
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError, Usage
from lyceum_ops.terraform import Tally

PROMISES = {
    "understood": "all that the API says of the network is understood, and every interface is of a known role",
    "places": "each role stands in its tier and in its own group, and only the load balancer has a public address",
    "routes": "each subnet leaves the VPC by the ways of its tier and no others",
    "passes": "what must pass passes, and its reply comes back",
    "nothing_else": "nothing else passes, between any two hosts, on any port of any protocol",
    "acls": "each tier's network ACL, by itself, lets its own packets cross and no others",
    "groups": "each role's security group, by itself, lets its own connections pass and no others",
    "removed": "each rule that is taken away is missed, and named, or its justification says why not",
    "widened": "each allow that is widened is noticed, and named",
}

VIA = {
    "local": "within the VPC",
    "internet": "through the internet gateway",
    "nat": "through NAT",
    "gateway": "through a gateway endpoint",
}


def prove(environment: str = "dev", *, running: bool = False) -> int:
    """Run the proof. Returns the exit code; raises LyceumError when there is nothing whole to look at."""
    known(environment)
    with applied(environment, running=running) as session:
        return prove_on(session, environment)


def prove_on(session: Session, environment: str) -> int:
    """Run the proof on what is applied already. Returns the exit code."""
    began = time.monotonic()
    model = Model(read_whole(session, environment), expected.ENVIRONMENTS[environment])
    topology, tally, report = model.topology, model.tally, Report(PROMISES)
    for one in topology.assumed:
        out.print(f"assumed: {one}", markup=False)
    report.try_("understood", lambda: _understood(topology))
    report.try_("places", lambda: _none(check.places(model), f"{len(model.inside)} places, {len(topology.nats)} NAT"))
    report.try_("routes", lambda: _none(check.routes(model), f"{len(topology.subnets)} subnets"))
    whole = report.try_("passes", lambda: _none(check.must_pass(model), _wanted(model)))
    report.try_("nothing_else", lambda: _none(check.must_not_pass(model), lambda: _tried(model)))
    report.try_("acls", lambda: _none(check.acls(model), lambda: f"{tally.packets} classes of packets tried"))
    report.try_("groups", lambda: _none(check.groups(model), lambda: f"{tally.group_sides} tried"))
    if whole:  # or each removal would find what is broken already
        report.try_("removed", lambda: _trials([*removals.remove(model), *removals.remove_routes(model)], "removed"))
        report.try_("widened", lambda: _trials(list(removals.widen(model)), "widened"))
    out.print(f"Reading and proving took {time.monotonic() - began:.1f} s.")
    return report.close()


def ask(source: str, target: str, port: int, protocol: str, *, environment: str = "dev", running: bool = False) -> int:
    """Print whether `source` reaches a port of `target`, on which way, and which rule decides. Returns 0.

    Raises Usage for a name or a protocol that nobody knows.
    """
    known(environment)
    if protocol not in PROTOCOLS:
        raise Usage(f"There is no protocol named {protocol!r} here.", f"There are: {', '.join(PROTOCOLS)}.")
    _early(source, target)
    there = state.running()
    with applied(environment, running=running or bool(there and there.phase == "ready")) as session:
        answer(
            Model(read_whole(session, environment), expected.ENVIRONMENTS[environment]), source, target, port, protocol
        )
    return 0


def answer(model: Model, source: str, target: str, port: int, protocol: str) -> None:
    """Print the answer to one question. Raises Usage for a name that nobody has."""
    number = PROTOCOLS[protocol]
    pairs = [(one, other) for one, other in model.pairs if _called(one, source) and _called(other, target)]
    if not pairs:
        names = sorted({host.role for host in model.topology.hosts} | {one.role for one in model.outsiders})
        for name in (source, target):
            if not any(_called(host, name) for host in (*model.topology.hosts, *model.outsiders)):
                raise Usage(f"Nothing here is named {name!r}.",
                            f"There are: {', '.join(names)}; a zone may follow, as server@us-east-1a.")  # fmt: skip
        raise Usage(
            f"{source} and {target} are both outside the VPC.", f"One of them has to be inside: {', '.join(names)}."
        )
    what = f"{protocol} {port}" if number in WITH_PORTS else protocol
    wanted = model.wanted.get((pairs[0][0].role, pairs[0][1].role), {}).get(port) if protocol == "tcp" else None
    alike: dict[tuple[bool, str, tuple[str, ...]], list[tuple[Host, Host, Verdict]]] = {}
    for one, other in pairs:
        found = verdict(model.topology, one, other, number, port)
        alike.setdefault((found.passes, found.via, tuple(_kind(place.place) for place in found.steps)), []).append(
            (one, other, found)
        )
    for same in alike.values():
        one, other, found = same[0]
        says = f"passes {VIA[found.via]}" if found.passes else f"is refused: {found.deciding}"
        out.print(f"{one.name} → {other.name} {what} {says}", markup=False, style="bold")
        for each in found.steps:
            if each.passes:
                out.print(f"  ok  {each}", markup=False)
        if not found.passes:
            alone = barriers(model.topology, one, other, number, port)
            out.print(f"  Each of these refuses it by itself: {'; '.join(alone) or 'none of the lists'}.", markup=False)
        if len(same) > 1:
            others = listed((f"{a.name} → {b.name}" for a, b, _ in same[1:]), 4)
            out.print(f"  The same between {others}.", markup=False)
    out.print(f"The list wants it to pass: {wanted.why}." if wanted else "The list wants it refused.", markup=False)


def _kind(place: str) -> str:
    """A place without its zone, so that one way through two zones counts as one."""
    return place.rsplit("-us-", 1)[0].split("@")[0]


def _called(host: Host, name: str) -> bool:
    return name.replace("_", "-") in {host.role, host.name}


def known(environment: str) -> None:
    """Raise Usage for an environment that nobody promised anything about."""
    if environment not in expected.ENVIRONMENTS:
        raise Usage(
            f"There is no environment named {environment!r}.", f"There are: {', '.join(expected.ENVIRONMENTS)}."
        )


def _early(*names: str) -> None:
    """Refuse a name that can belong to nobody before minutes are spent on an account."""
    known = [*expected.TIERS, "internet", "operator", "s3", "dynamodb"]
    for name in names:
        if name.replace("_", "-").split("@")[0] not in known and not name.startswith("operator-"):
            raise Usage(f"Nothing here is named {name!r}.",
                        f"There are: {', '.join(known)}; a zone may follow, as server@us-east-1a.")  # fmt: skip


# ------------------------------------------------------------------------------------------------------- what to read


@contextmanager
def applied(environment: str, *, running: bool) -> Iterator[Session]:
    """Where the environment is applied: the rehearsal that runs, or an account of the proof's own."""
    if running:
        yield _rehearsal(environment)
        return
    with account("network") as cloud:
        root, inputs = cloud.stack.platform(environment, log=cloud.logs / f"{environment}.log")
        with step(f"apply infra/platform ({environment}), as the deployer") as line:
            tally = Tally()
            root.apply(root.plan(inputs), listener=tally.add)
            line.note(str(tally))
        yield cloud.admin


def _rehearsal(environment: str) -> Session:
    there = state.running()
    if there is None:
        raise LyceumError("No rehearsal runs.", "Start one with ./lyceum up, or leave --running out.")
    if there.environment != environment:
        raise LyceumError(f"The rehearsal is of {there.environment}, not of {environment}.", "Leave --running out.")
    if there.phase != "ready":
        raise LyceumError("The rehearsal is still starting, and its network is applied in part.",
                          "Wait until ./lyceum status shows the address.")  # fmt: skip
    infrastructure.isolate()
    return infrastructure.Session.of(infrastructure.aws_environment(there.emulator))


def read_whole(session: Session, environment: str) -> Topology:
    """The network of an environment. Raises LyceumError when it cannot be read, or is applied in part."""
    try:
        topology = read(session, environment)
    except (BotoCoreError, ClientError) as error:
        raise LyceumError(f"The network could not be read: {error}", "Look at ./lyceum status.") from error
    require_whole(topology, environment)
    return topology


# ----------------------------------------------------------------------------------------------------------- promises


def _understood(topology: Topology) -> str:
    require(not topology.strange, listed(topology.strange, 8))
    rules = Counter(type(rule).__name__ for rule in topology.rules())
    return (
        f"{len(topology.subnets)} subnets, {len(topology.tables)} route tables, {rules['AclRule']} network ACL rules, "
        f"{rules['GroupRule']} rules of {len(topology.groups)} security groups, {len(topology.hosts)} hosts"
    )


def _wanted(model: Model) -> str:
    pairs = sum((one.role, other.role) in model.wanted for one, other in model.pairs)
    return f"{len(expected.connections(model.given))} kinds, between {pairs} pairs of hosts"


def _tried(model: Model) -> str:
    protocols = len(check.protocols(model.topology.rules()))
    return (
        f"{model.tally.pairs} pairs of hosts, {protocols} protocols, 65,536 ports in {len(model.ports)} classes: "
        f"{model.tally.connections} connections tried"
    )


def _none(findings: Iterable[Finding], detail: str | Callable[[], str]) -> str:
    found = [str(one) for one in findings]
    require(not found, f"{len(found)} found: " + "; ".join(found[:5]) + ("; …" if len(found) > 5 else ""))
    return detail() if callable(detail) else detail


def _trials(trials: list[Trial], done: str) -> str:
    unheard = [str(trial) for trial in trials if trial.faulty]
    require(not unheard, f"{len(unheard)} of {len(trials)}: " + "; ".join(unheard[:5]))
    require(len(trials) > 0, f"nothing was {done}")
    justified = [trial for trial in trials if trial.justified]
    found = (
        f"{len(trials)} {done}, {sum(trial.noticed for trial in trials)} noticed and named, {len(justified)} justified"
    )
    if opens := sum(trial.opens for trial in trials):
        found += f"; {opens} of them would have opened a connection by themselves"
    return found + "".join(f"\n                  {one.rule}: {one.justified}" for one in justified)
