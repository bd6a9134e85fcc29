"""Network ACLs and security groups as nftables. Pure: a topology in, rules as text out.

An ACL keeps no memory: it becomes two chains without connection tracking in the router, one that a packet passes where
it leaves a subnet and one where it enters another. A group keeps memory: it becomes a filter with connection tracking
in the namespace of each member. What AWS does not filter (the resolver and the metadata service at their link-local
addresses) is let through here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address

from lyceum_lab.proofs.network.topology import ALL_PORTS, ANY, EVERYWHERE, WITH_PORTS, Acl, GroupRule, Topology

LINK_LOCAL = "169.254.0.0/16"


def acls(topology: Topology, bridges: Mapping[str, str]) -> str:
    """The router's filter: `bridges` names the interface of each subnet. Replaces what was loaded before."""
    used = {subnet.acl for subnet in topology.subnets.values()}
    chains = "".join(
        _acl(topology.acls[one], egress=egress)
        for one in sorted(used)
        if one in topology.acls
        for egress in (True, False)
    )
    leave, enter = (
        ", ".join(
            f'"{bridges[id_]}" : goto {_chain(subnet.acl, egress=egress)}'
            for id_, subnet in topology.subnets.items()
            if subnet.acl in topology.acls
        )
        for egress in (True, False)
    )
    known = ", ".join(f'"{name}"' for name in bridges.values())
    return (
        "table ip acls\ndelete table ip acls\n"
        f"table ip acls {{\n{chains}"
        "  chain leave {\n    type filter hook forward priority 0; policy drop;\n"
        f"    iifname != {{ {known} }} accept\n    iifname vmap {{ {leave} }}\n  }}\n"
        "  chain enter {\n    type filter hook forward priority 10; policy drop;\n"
        f"    oifname != {{ {known} }} accept\n    oifname vmap {{ {enter} }}\n  }}\n"
        "}\n"
    )


def _acl(acl: Acl, *, egress: bool) -> str:
    rules = "".join(
        f"    {_match(rule.protocol, rule.ports, 'daddr' if egress else 'saddr', str(rule.cidr))}"
        f'counter {"accept" if rule.allow else "drop"} comment "{rule.label}"\n'
        for rule in acl.rules
        if rule.egress == egress
    )
    rest = f'    counter drop comment "{acl.list(egress)}, no rule"\n'
    return f"  chain {_chain(acl.id, egress=egress)} {{\n{rules}{rest}  }}\n"


def _chain(acl: str, *, egress: bool) -> str:
    return f"{'out' if egress else 'in'}_{acl.replace('-', '_')}"


def groups(topology: Topology, of: Iterable[str], members: Mapping[str, Iterable[int]]) -> str:
    """The filter of a host in these groups. `members` are the addresses of each group's members, by its id."""
    mine = [topology.groups[one] for one in sorted(of) if one in topology.groups]
    peers = {rule.peer for group in mine for rule in group.rules if rule.peer}
    sets = "".join(_set(peer, members.get(peer, ())) for peer in sorted(peers))
    chains = "".join(
        f"  chain {hook} {{\n    type filter hook {hook} priority 0; policy drop;\n"
        f"    {'oif' if egress else 'iif'} lo accept\n    ct state established,related accept\n"
        f"    ip {'daddr' if egress else 'saddr'} {LINK_LOCAL} accept\n"
        + "".join(_group_rule(rule) for group in mine for rule in group.rules if rule.egress == egress)
        + f'    counter comment "security groups, {"out" if egress else "in"}, no rule"\n  }}\n'
        for hook, egress in (("input", False), ("output", True))
    )
    return f"table ip groups\ndelete table ip groups\ntable ip groups {{\n{sets}{chains}}}\n"


def members(topology_group: str, addresses: Iterable[int]) -> str:
    """What brings the set of a group's members up to date, in a filter that `groups` made."""
    name = _set_name(topology_group)
    return f"flush set ip groups {name}\n" + (
        f"add element ip groups {name} {{ {_listed(addresses)} }}\n" if list(addresses) else ""
    )


def _set(group: str, addresses: Iterable[int]) -> str:
    elements = _listed(addresses)
    inside = f" elements = {{ {elements} }};" if elements else ""
    return f"  set {_set_name(group)} {{ type ipv4_addr;{inside} }}\n"


def _set_name(group: str) -> str:
    return f"members_{group.replace('-', '_')}"


def _listed(addresses: Iterable[int]) -> str:
    return ", ".join(str(IPv4Address(one)) for one in sorted(set(addresses)))


def _group_rule(rule: GroupRule) -> str:
    side = "daddr" if rule.egress else "saddr"
    whom = f"@{_set_name(rule.peer)}" if rule.peer else str(rule.cidr)
    return f'    {_match(rule.protocol, rule.ports, side, whom)}counter accept comment "{rule.label}"\n'


def _match(protocol: int, ports: tuple[int, int], side: str, whom: str) -> str:
    """The conditions of a rule, each with a space behind it."""
    found = "" if whom == str(EVERYWHERE) else f"ip {side} {whom} "
    if protocol == ANY:
        return found
    found += f"ip protocol {protocol} "
    if protocol in WITH_PORTS and ports != ALL_PORTS:
        found += f"th dport {ports[0]}-{ports[1]} " if ports[0] != ports[1] else f"th dport {ports[0]} "
    return found
