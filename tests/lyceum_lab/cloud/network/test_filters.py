"""What ACLs and groups become, before any kernel sees it."""

from __future__ import annotations

from tests.lyceum_lab.proofs.network.conftest import address

from lyceum_lab.cloud.network import filters
from lyceum_lab.proofs.network.topology import Topology


def test_an_acl_keeps_the_order_of_its_numbers_and_ends_in_a_refusal(development: Topology) -> None:
    text = filters.acls(development, {id_: f"b{n}" for n, id_ in enumerate(development.subnets)})
    chain = text.split("chain in_lyceum_dev_app {")[1].split("}")[0].strip().splitlines()
    assert [line.strip() for line in chain] == [
        "ip saddr 10.20.0.0/20 ip protocol 6 th dport 8000 counter accept"
        ' comment "network ACL lyceum-dev-app, in, rule 100"',
        "ip saddr 10.20.32.0/20 ip protocol 6 th dport 32768-60999 counter accept"
        ' comment "network ACL lyceum-dev-app, in, rule 110"',
        'ip saddr 10.20.0.0/16 counter drop comment "network ACL lyceum-dev-app, in, rule 500"',
        'ip protocol 6 th dport 32768-60999 counter accept comment "network ACL lyceum-dev-app, in, rule 600"',
        'counter drop comment "network ACL lyceum-dev-app, in, no rule"',
    ]
    assert " ct " not in text  # a network ACL keeps no memory


def test_a_group_lets_in_members_by_their_addresses_and_nobody_when_there_are_none(development: Topology) -> None:
    there = {"lyceum-dev-server": [address("10.20.16.10"), address("10.20.20.10")]}
    text = filters.groups(development, ["lyceum-dev-database"], there)
    assert "set members_lyceum_dev_server { type ipv4_addr; elements = { 10.20.16.10, 10.20.20.10 }; }" in text
    assert "set members_lyceum_dev_bastion { type ipv4_addr; }" in text
    assert "ip saddr @members_lyceum_dev_server ip protocol 6 th dport 5432 counter accept" in text
    assert text.count("policy drop") == 2
    assert "daddr @" not in text  # the database opens no connections
