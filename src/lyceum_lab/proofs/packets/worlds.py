"""The same network with one kind of filter let through everything, so that the other is seen by itself."""

from __future__ import annotations

from dataclasses import replace

from lyceum_lab.proofs.network.topology import ALL_PORTS, ANY, EVERYWHERE, AclRule, GroupRule, Topology


def groups_open(topology: Topology) -> Topology:
    """Every group lets everything pass: the network ACLs are alone."""
    return replace(
        topology,
        groups={
            id_: replace(
                group,
                rules=tuple(
                    GroupRule(f"open-{'out' if egress else 'in'}", group.name, egress, ANY, ALL_PORTS, EVERYWHERE)
                    for egress in (False, True)
                ),
            )
            for id_, group in topology.groups.items()
        },
    )


def acls_open(topology: Topology) -> Topology:
    """Every ACL lets everything pass: the groups are alone."""
    return replace(
        topology,
        acls={
            id_: replace(
                acl,
                rules=tuple(AclRule(acl.name, egress, 1, True, ANY, EVERYWHERE) for egress in (False, True)),
            )
            for id_, acl in topology.acls.items()
        },
    )


def acl_alone(topology: Topology, rule: AclRule) -> Topology:
    """Every list lets everything pass but the one that holds this rule."""
    return replace(
        groups_open(topology),
        acls={
            id_: replace(
                acl,
                rules=tuple(
                    one
                    for egress in (False, True)
                    for one in (
                        [each for each in acl.rules if each.egress == egress]
                        if rule in acl.rules and egress == rule.egress
                        else [AclRule(acl.name, egress, 1, True, ANY, EVERYWHERE)]
                    )
                ),
            )
            for id_, acl in topology.acls.items()
        },
    )
