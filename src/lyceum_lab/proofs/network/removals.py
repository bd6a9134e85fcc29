"""Each rule is taken away, and each allow widened, in turn: the list has to notice, and say which rule it was.

An allow that is taken away has to break a connection of the list, end to end: whatever does not is a rule that nobody
needs. What is widened has to be seen in its own list (an ACL, a group), where no other list can hide it; how many of
the widened would have opened a connection by themselves is counted, as that is where one mistake is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from lyceum_lab.proofs.network import check, expected
from lyceum_lab.proofs.network.check import Finding, Model
from lyceum_lab.proofs.network.topology import ALL_PORTS, ANY, EVERYWHERE, WITH_PORTS, AclRule, GroupRule, Host


@dataclass(frozen=True)
class Trial:
    """What was done to a rule, and what the list said of it: nothing, if it did not notice."""

    done: str  # removed, or what it was widened to
    rule: AclRule | GroupRule | str  # of a route: its table and where it leads
    found: Finding | None
    named: bool  # the finding names the rule (of one that is gone: the list in which it was)
    justified: str = ""
    opens: bool = False  # a connection that must not pass would have passed

    @property
    def noticed(self) -> bool:
        return self.found is not None and self.named

    @property
    def faulty(self) -> bool:
        """Neither noticed nor justified; or justified for nothing."""
        return self.noticed == bool(self.justified)

    def __str__(self) -> str:
        said = self.found.text if self.found else "nothing notices"
        if self.noticed and self.justified:
            return f"{self.rule}, {self.done}: its justification is not needed: {said}"
        return f"{self.rule}, {self.done}: {said}"


def remove(model: Model) -> Iterator[Trial]:
    """Each rule away in turn."""
    for rule in model.topology.rules():
        without = Model(model.topology.changed(rule, None), model.given)
        if isinstance(rule, AclRule) and not rule.allow:
            found = next(_own_list(without, rule), None)
        else:
            found = next(check.must_pass(without), None)
        named = found is not None and rule.list in found.text
        yield Trial("removed", rule, found, named, justified("removed", model, rule))


def remove_routes(model: Model) -> Iterator[Trial]:
    """Each route that can be taken away (the VPC's own cannot), of each table that a subnet uses, in turn."""
    topology = model.topology
    for id_ in sorted({subnet.table for subnet in topology.subnets.values()}):
        table = topology.tables[id_]
        for route in table.routes:
            if route.kind != "local":
                rest = replace(table, routes=tuple(one for one in table.routes if one is not route))
                without = Model(replace(topology, tables={**topology.tables, id_: rest}), model.given)
                found = next(check.must_pass(without), None)
                named = found is not None and table.name in found.text
                yield Trial("removed", f"route table {table.name} to {route.to} by {route.target}", found, named)


def widen(model: Model, *, end_to_end: bool = True) -> Iterator[Trial]:
    """Each allow wider in turn: to every address, to every port, to every protocol. What cannot be is left out."""
    for rule in model.topology.rules():
        for done, wider in _wider(rule):
            changed = Model(model.topology.changed(rule, wider), model.given)
            found = next((one for one in islice(_own_list(changed, rule), 50) if one.rule == wider.label), None)
            opens = end_to_end and next(_touched(changed, rule), None) is not None
            yield Trial(done, rule, found, found is not None, justified(done, model, rule), opens)


def _wider(rule: AclRule | GroupRule) -> Iterator[tuple[str, AclRule | GroupRule]]:
    if isinstance(rule, AclRule) and not rule.allow:
        return
    if rule.cidr != EVERYWHERE:
        if isinstance(rule, AclRule):
            yield "widened to every address", replace(rule, cidr=EVERYWHERE)
        else:
            yield "widened to every address", replace(rule, cidr=EVERYWHERE, peer="", peer_name="")
    if rule.protocol in WITH_PORTS and rule.ports != ALL_PORTS:
        yield "widened to every port", replace(rule, ports=ALL_PORTS)
    if rule.protocol != ANY:
        yield "widened to every protocol", replace(rule, protocol=ANY, ports=ALL_PORTS)


def _own_list(model: Model, rule: AclRule | GroupRule) -> Iterator[Finding]:
    """What the list that held the rule lets through now."""
    if isinstance(rule, AclRule):
        for acl in model.topology.acls.values():
            if acl.name == rule.acl:
                yield from check.acl_alone(model, acl, rule.egress)
    else:
        for group in model.topology.groups.values():
            if group.name == rule.group:
                yield from check.group_alone(model, group, rule.egress)


def _touched(model: Model, rule: AclRule | GroupRule) -> Iterator[Finding]:
    """What passes now and must not, between the hosts that the rule can concern."""
    topology = model.topology

    def acl_of(subnet: str) -> str:
        return topology.acls[topology.subnets[subnet].acl].name

    # What goes through a NAT gateway crosses the border of its subnet too, whoever sends it.
    before_nat = isinstance(rule, AclRule) and any(acl_of(nat.subnet) == rule.acl for nat in topology.nats.values())

    def concerned(host: Host) -> bool:
        if isinstance(rule, AclRule):
            return not host.outside and (before_nat or acl_of(host.subnet) == rule.acl)
        return any(topology.groups[one].name == rule.group for one in host.groups)

    pairs = tuple((a, b) for a, b in model.pairs if concerned(a) or concerned(b))
    yield from check.must_not_pass(model, pairs)


def justified(done: str, model: Model, rule: AclRule | GroupRule) -> str:
    """Why a rule may be changed in this way and nothing need notice, or nothing."""
    if not isinstance(rule, AclRule):
        return ""
    tier = rule.acl.removeprefix(f"{model.topology.name}-")
    return expected.JUSTIFIED.get((done, tier, rule.egress, rule.number), "")
