"""EC2: what moto forgets of a network, of an instance in it, and of the versions of a launch template."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models import ec2_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call, dig

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


@ec2.note(
    "CreateLaunchTemplate",
    because="moto writes the tags of a template itself among those of what is launched from it",
)
def keep_own_tags_out(call: Call, result: dict[str, Any]) -> None:
    for version in _versions(call, result["LaunchTemplate"]["LaunchTemplateId"]):
        tags = version.data.get("TagSpecifications") or []
        version.data["TagSpecifications"] = [each for each in tags if each["ResourceType"] != "launch-template"]


@ec2.edit(
    "CreateLaunchTemplateVersion",
    because="moto begins a version from nothing, whatever version it is told to begin from, and cannot launch from it",
)
def begin_from_source(call: Call, result: dict[str, Any]) -> bool:
    made = result["LaunchTemplateVersion"]
    versions = _versions(call, made["LaunchTemplateId"])
    version = versions[made["VersionNumber"] - 1]
    if source := call.parameters.get("SourceVersion"):
        number = {"$Latest": len(versions) - 1, "$Default": version.template.default_version_number}.get(source)
        version.data = {**deepcopy(versions[int(number or source) - 1].data), **version.data}
    if isinstance(data := version.data.get("UserData"), str):
        version.data["UserData"] = Base64EncodedString(data)
    # Moto read the tags when it made the version.
    version.instance_tags = {
        tag["Key"]: tag["Value"]
        for each in version.data.get("TagSpecifications") or []
        if each["ResourceType"] == "instance"
        for tag in each.get("Tags") or []
    }
    made["LaunchTemplateData"] = version.data
    return True


def _versions(call: Call, template: str) -> list[Any]:
    found: list[Any] = ec2_backends[ACCOUNT][call.region].launch_templates[template].versions
    return found


@ec2.guard(
    "DeleteNetworkAclEntry",
    because="moto breaks on a rule that is not there, where AWS says so: a call that the SDK repeats then fails",
)
def find_entry(call: Call) -> None:
    asked = call.parameters
    acl = ec2_backends[ACCOUNT][call.region].get_network_acl(asked["NetworkAclId"])
    rules = [(entry.rule_number, entry.egress) for entry in acl.network_acl_entries]
    if (asked["RuleNumber"], asked["Egress"]) not in rules:
        raise ApiError(
            "InvalidNetworkAclEntry.NotFound",
            f"The network acl entry identified by {asked['RuleNumber']} does not exist.",
        )


# ---------------------------------------------------------------------------------------------------- instances


@ec2.edit(
    "DescribeInstances",
    because="moto shows an empty association for an interface without a public address, and no groups of an instance "
    "whose groups were named at its interface",
)
def show_first_interface(_: Call, result: dict[str, Any]) -> bool:
    changed = False
    for instance in dig(result, "Reservations[].Instances[]"):
        for interface in instance.get("NetworkInterfaces", []):
            if not interface.get("Association"):
                changed = interface.pop("Association", None) is not None or changed
            is_first = interface["Attachment"]["DeviceIndex"] == 0
            if is_first and interface.get("Groups") and not instance.get("SecurityGroups"):
                instance["SecurityGroups"] = interface["Groups"]
                changed = True
    return changed
