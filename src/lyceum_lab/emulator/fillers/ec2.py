"""EC2: what moto forgets of a network."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

ec2 = Service("ec2")
FORGOTTEN = "moto keeps the description of a rule that names a range, and forgets that of one that names a group"


@ec2.edit("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", because=FORGOTTEN)
def note_rule_description(call: Call, result: dict[str, Any]) -> bool:
    pairs = [
        pair
        for permission in call.parameters.get("IpPermissions", [])
        for pair in permission.get("UserIdGroupPairs") or []
        if pair.get("Description")
    ]
    changed = False
    for rule in result.get("SecurityGroupRules", []):
        group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
        text = next((pair["Description"] for pair in pairs if pair.get("GroupId") == group), None)
        if group and text:
            ec2.table("rule descriptions")[rule["SecurityGroupRuleId"]] = text
            rule["Description"] = text
            changed = True
    return changed


@ec2.note("ModifySecurityGroupRules", because=FORGOTTEN)
def note_changed_description(call: Call, _: dict[str, Any]) -> None:
    for update in call.parameters.get("SecurityGroupRules", []):
        if "Description" in update.get("SecurityGroupRule", {}):
            ec2.table("rule descriptions")[update["SecurityGroupRuleId"]] = update["SecurityGroupRule"]["Description"]


@ec2.edit("DescribeSecurityGroupRules", because=FORGOTTEN)
def show_rule_description(_: Call, result: dict[str, Any]) -> bool:
    changed = False
    for rule in result.get("SecurityGroupRules", []):
        text = ec2.table("rule descriptions").get(rule.get("SecurityGroupRuleId"))
        if text and rule.get("Description") != text:
            rule["Description"] = text
            changed = True
    return changed
