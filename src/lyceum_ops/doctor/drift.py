"""What people change by hand, held against what Terraform wrote down: the state says how it left things.

A plan asks AWS of everything and takes its minute; a tired person has ten seconds. Compared here is what a hand mostly
changes, and where it does most harm: rules of groups and network ACLs, the group's bounds, the database's settings, the
table's protection, public access to buckets. That nothing of it differs says nothing of the rest: that is the plan's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lyceum_ops.checks import Account, Check, Found, fail, ok, unknown, warn
from lyceum_ops.doctor.pages import missing, page
from lyceum_ops.roots import find_state

SHOWN = 3  # differences that are told; the plan tells all
LAST_RULE = 32767  # of every network ACL: what no other rule decides is refused
NUMBERS = {"icmp": "1", "tcp": "6", "udp": "17", "all": "-1"}
DATABASE = {
    "instance_class": "DBInstanceClass",
    "multi_az": "MultiAZ",
    "publicly_accessible": "PubliclyAccessible",
    "deletion_protection": "DeletionProtection",
    "backup_retention_period": "BackupRetentionPeriod",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "performance_insights_enabled": "PerformanceInsightsEnabled",
}
SHUT = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


@dataclass(frozen=True)
class Compared:
    """One setting: what it is called, how it should be and is; `opens` when the difference lets somebody in."""

    what: str
    should: object
    there: object
    opens: bool = False

    @property
    def differs(self) -> bool:
        return self.should != self.there

    def __str__(self) -> str:
        if self.should is None:
            return f"{self.what} was added: {self.there}"
        if self.there is None:
            return f"{self.what} is gone"
        return f"{self.what} is {self.there}, not {self.should}"


@dataclass(frozen=True)
class State:
    """What Terraform wrote down: the attributes of each resource of a type."""

    resources: list[Mapping[str, Any]]

    def of(self, *kinds: str) -> list[Mapping[str, Any]]:
        """The attributes of every resource of these types."""
        return [
            instance["attributes"]
            for one in self.resources
            if one.get("mode") == "managed" and one["type"] in kinds
            for instance in one["instances"]
        ]


def drift(asking: Account) -> Found:
    key = f"platform-{asking.environment}"
    kept = find_state(asking, asking.who.account, key)
    if not kept.there:
        return missing(f"state of {asking.environment} to compare with")
    told = asking.ask("s3", "get_object", Bucket=kept.bucket, Key=f"{key}.tfstate")
    if told is None:
        return missing(f"state of {asking.environment} to compare with")
    try:
        state = State(json.loads(told["Body"].read()).get("resources", []))
    except ValueError:
        return unknown(f"the state {key}.tfstate is no JSON", page("drift"))
    found = [one for part in PARTS for one in part(asking, state)]
    if not found:
        return warn("the state names nothing that is compared here", page("drift"))
    differing = sorted((one for one in found if one.differs), key=lambda one: not one.opens)
    if not differing:
        return ok(f"{len(found)} rules and settings are as Terraform left them; a plan tells of the rest")
    text = "; ".join(str(one) for one in differing[:SHOWN])
    if more := len(differing) - SHOWN:
        text += f"; and {more} more" if more > 0 else ""
    return (fail if differing[0].opens else warn)(text, page("drift"))


def _groups(asking: Account, state: State) -> Iterator[Compared]:
    """Each rule of the security groups, by its id."""
    names = {one["id"]: one["name"] for one in state.of("aws_security_group", "aws_default_security_group")}
    if not names:
        return
    should: dict[str, tuple[str, bool, str]] = {}
    for kind, egress in (("ingress", False), ("egress", True)):
        for one in state.of(f"aws_vpc_security_group_{kind}_rule"):
            peer = one["cidr_ipv4"] or one["cidr_ipv6"] or one["prefix_list_id"] or one["referenced_security_group_id"]
            rule = _rule(egress, one["ip_protocol"], one["from_port"], one["to_port"], peer)
            should[one["security_group_rule_id"]] = (one["security_group_id"], egress, rule)
    there: dict[str, tuple[str, bool, str]] = {}
    for each in asking.all("ec2", "describe_security_group_rules", "SecurityGroupRules",
                           Filters=[{"Name": "group-id", "Values": sorted(names)}]):  # fmt: skip
        peer = each.get("CidrIpv4") or each.get("CidrIpv6") or each.get("PrefixListId") or (
            each.get("ReferencedGroupInfo", {}).get("GroupId"))  # fmt: skip
        rule = _rule(each["IsEgress"], each["IpProtocol"], each.get("FromPort"), each.get("ToPort"), peer)
        there[each["SecurityGroupRuleId"]] = (each["GroupId"], each["IsEgress"], rule)
    for id_ in sorted({*should, *there}):
        group, egress, _ = there.get(id_) or should[id_]
        old, new = (rules[id_][2] if id_ in rules else None for rules in (should, there))
        yield Compared(f"{names.get(group, group)}: {id_}", old, new, opens=not egress and new is not None)


def _rule(egress: bool, protocol: str, first: int | None, last: int | None, peer: object) -> str:
    number = NUMBERS.get(protocol, protocol)
    ports = "all" if number == "-1" else f"{first}" if first == last else f"{first}-{last}"
    return f"{'out to' if egress else 'in from'} {peer}, protocol {number}, ports {ports}"


def _acls(asking: Account, state: State) -> Iterator[Compared]:
    """Each rule of the network ACLs, by its direction and number."""
    known = {one["id"]: one for one in state.of("aws_network_acl")}
    if not known:
        return
    networks = sorted({one["vpc_id"] for one in known.values()})
    listed = asking.all("ec2", "describe_network_acls", "NetworkAcls",
                        Filters=[{"Name": "vpc-id", "Values": networks}])  # fmt: skip
    now = {each["NetworkAclId"]: each for each in listed}
    for id_, one in known.items():
        name = (one.get("tags") or {}).get("Name", id_)
        if id_ not in now:
            yield Compared(name, "there", None)
            continue
        should = {
            (egress, rule["rule_no"]): _entry(
                rule["action"], rule["protocol"], rule["cidr_block"] or rule["ipv6_cidr_block"], rule["from_port"],
                rule["to_port"],
            )
            for kind, egress in (("ingress", False), ("egress", True))
            for rule in one[kind]
        }  # fmt: skip
        there = {
            (each["Egress"], each["RuleNumber"]): _entry(
                each["RuleAction"], each["Protocol"], each.get("CidrBlock") or each.get("Ipv6CidrBlock"),
                each.get("PortRange", {}).get("From"), each.get("PortRange", {}).get("To"),
            )
            for each in now[id_]["Entries"]
            if each["RuleNumber"] < LAST_RULE
        }  # fmt: skip
        for egress, number in sorted({*should, *there}):
            old, new = should.get((egress, number)), there.get((egress, number))
            # Who takes a denial away opens as much as who adds an allow.
            opens = (new or "").startswith("allow") or (old or "").startswith("deny")
            yield Compared(f"{name}, {'out' if egress else 'in'} {number}", old, new, opens=opens)


def _entry(action: str, protocol: str, cidr: str, first: int | None, last: int | None) -> str:
    number = NUMBERS.get(protocol, protocol)
    ports = "" if number == "-1" else f", ports {first or 0}-{last or 0}"
    return f"{action.lower()} {cidr}, protocol {number}{ports}"


def _servers(asking: Account, state: State) -> Iterator[Compared]:
    """The bounds of the group. How many it wants between them is scaling's."""
    for one in state.of("aws_autoscaling_group"):
        listed = asking.all("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups",
                            AutoScalingGroupNames=[one["name"]])  # fmt: skip
        if not listed:
            yield Compared(one["name"], "there", None)
            continue
        for attribute, name in (("min_size", "MinSize"), ("max_size", "MaxSize")):
            yield Compared(f"{one['name']}: {name}", one[attribute], listed[0][name])
        halted = sorted(each["ProcessName"] for each in listed[0].get("SuspendedProcesses", []))
        yield Compared(f"{one['name']}: suspended", sorted(one.get("suspended_processes") or []), halted)


def _database(asking: Account, state: State) -> Iterator[Compared]:
    for one in state.of("aws_db_instance"):
        told = asking.ask("rds", "describe_db_instances", DBInstanceIdentifier=one["identifier"])
        if not told or not told["DBInstances"]:
            yield Compared(one["identifier"], "there", None)
            continue
        there = told["DBInstances"][0]
        for attribute, name in DATABASE.items():
            opens = name == "PubliclyAccessible"
            yield Compared(f"{one['identifier']}: {name}", one[attribute], there.get(name), opens=opens)
        groups = sorted(each["VpcSecurityGroupId"] for each in there.get("VpcSecurityGroups", []))
        should = sorted(one["vpc_security_group_ids"])
        yield Compared(f"{one['identifier']}: its security groups", should, groups, opens=True)


def _table(asking: Account, state: State) -> Iterator[Compared]:
    for one in state.of("aws_dynamodb_table"):
        told = asking.ask("dynamodb", "describe_table", TableName=one["name"])
        if told is None:
            yield Compared(one["name"], "there", None)
            continue
        there = bool(told["Table"].get("DeletionProtectionEnabled"))
        yield Compared(f"{one['name']}: protected from deletion", bool(one["deletion_protection_enabled"]), there)


def _buckets(asking: Account, state: State) -> Iterator[Compared]:
    for one in state.of("aws_s3_bucket_public_access_block"):
        told = asking.ask("s3", "get_public_access_block", Bucket=one["bucket"]) or {}
        there = told.get("PublicAccessBlockConfiguration", {})
        for attribute, name in SHUT.items():
            yield Compared(f"{one['bucket']}: {name}", bool(one[attribute]), bool(there.get(name)), opens=True)


PARTS = (_groups, _acls, _database, _buckets, _servers, _table)
CHECKS = (
    Check(
        "drift",
        "s3:GetObject, s3:GetBucketPublicAccessBlock, ec2:DescribeSecurityGroupRules, ec2:DescribeNetworkAcls, "
        "rds:DescribeDBInstances, autoscaling:DescribeAutoScalingGroups, dynamodb:DescribeTable",
        drift,
    ),
)
