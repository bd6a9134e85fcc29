"""What exists in the emulated account, as far as IAM's decisions depend on it, read out of moto's own objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.backends import get_backend

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam.policies import Policy, parse

REGION, HOUR = "us-east-1", 3600
Documents = list[tuple[str, str]]  # name, JSON


@dataclass(frozen=True)
class Holder:
    """Who holds a key: a user, or the session of a role."""

    arn: str
    policies: Documents
    boundary: str
    role: str = ""
    policy: str = ""
    expiration: datetime = datetime.max


def _backend(service: str, region: str = "aws") -> Any:
    return get_backend(service)[ACCOUNT][region]  # type: ignore[call-overload]


def user(access_key: str) -> Holder | None:
    """The user that holds an active key of this id."""
    iam = _backend("iam")
    for found in iam.users.values():
        if any(key.access_key_id == access_key and key.status == "Active" for key in found.access_keys):
            policies = _inline(f"user {found.name}", found.policies) + _attached(found)
            for group in iam.groups.values():
                if found in group.users:
                    policies += _inline(f"group {group.name}", group.policies) + _attached(group)
            # Moto's users have no boundary.
            return Holder(found.arn, policies, getattr(found, "permissions_boundary_arn", None) or "")
    return None


def session(access_key: str) -> Holder | None:
    """The session of a role that was given a key of this id."""
    for made in _backend("sts").assumed_roles:
        if made.access_key_id == access_key:
            role = _role(made.role_arn.rsplit("/", 1)[-1])
            if role is None:
                return None
            policies = _inline(f"role {role.name}", role.policies) + _attached(role)
            return Holder(
                made.arn, policies, role.permissions_boundary_arn or "", role.arn, made.policy or "", made.expiration
            )
    return None


def credentials(name: str) -> dict[str, str]:
    """New credentials of a role, as a machine's metadata service gives them out; empty without such a role."""
    role = _role(name)
    if role is None:
        return {}
    made = _backend("sts").assume_role(REGION, "machine", role.arn, "", HOUR, "")
    return {
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "Token": made.session_token,
        "Expiration": f"{made.expiration:%Y-%m-%dT%H:%M:%SZ}",
    }


def has_device(name: str, serial: str) -> bool:
    """Whether the user registered this second factor."""
    found = _backend("iam").users.get(name)
    return bool(found and serial and serial in found.mfa_devices)


def managed(arn: str) -> str:
    """The default version of a managed policy."""
    policy = _backend("iam").managed_policies[arn]
    return str(next(version.document for version in policy.versions if version.is_default))


def _role(name: str) -> Any:
    return next((role for role in _backend("iam").roles.values() if role.name == name), None)


def _inline(owner: str, policies: Mapping[str, str]) -> Documents:
    return [(f"{owner}: {name}", text) for name, text in policies.items()]


def _attached(holder: Any) -> Documents:
    return [(arn.rsplit("/", 1)[-1], managed(arn)) for arn in holder.managed_policies]


class Moto:
    """`lyceum_lab.iam.requests.Account` out of moto."""

    number = ACCOUNT

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource; empty when it has none, or does not exist yet."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or arn.endswith("*"):
            return {}
        service, region, name = parts[2], parts[3], parts[5]
        find = TAGS.get(service)
        return {str(key): str(value) for key, value in (find(region, name, arn) if find else {}).items()}

    def key(self, name: str, region: str) -> str:
        if name.startswith("arn:") and ":alias/" not in name:
            return name
        alias = name.split(":", 5)[-1]
        kms = _backend("kms", region)
        if alias.startswith("alias/aws/"):
            found = kms.any_id_to_key_id(alias)  # AWS's own keys come into being when they are first named
        else:
            found = kms.get_key_id_from_alias(alias) if alias.startswith("alias/") else alias
        return f"arn:aws:kms:{region}:{ACCOUNT}:key/{found}" if found else ""

    def aliases(self, arn: str) -> list[str]:
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("key/"):
            return []
        key = _backend("kms", parts[3]).keys.get(parts[5].removeprefix("key/"))
        return sorted(key.aliases) if key else []

    def secret(self, name: str, region: str) -> str:
        if name.startswith("arn:"):
            return name
        found = _backend("secretsmanager", region).secrets.get(name)
        return str(found.arn) if found else f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-??????"

    def secret_key(self, arn: str) -> str:
        region = arn.split(":")[3]
        for each in _backend("secretsmanager", region).secrets.values():
            if each.arn == arn and each.kms_key_id:
                return self.key(each.kms_key_id, region)
        return ""

    def bucket_key(self, bucket: str) -> str:
        found = _backend("s3").buckets.get(bucket)
        rule = ((found.encryption if found else None) or {}).get("Rule") or {}
        rule = rule[0] if isinstance(rule, list) else rule
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        return str(default.get("KMSMasterKeyID") or "")

    def boundary(self, arn: str) -> str:
        role = _role(arn.rsplit("/", 1)[-1]) if ":role/" in arn else None
        return (role.permissions_boundary_arn or "") if role else ""

    def path(self, kind: str, name: str) -> str:
        iam = _backend("iam")
        if kind == "role":
            found = _role(name)
        elif kind == "instance-profile":
            found = next((each for each in iam.instance_profiles.values() if each.name == name), None)
        else:
            found = {"user": iam.users, "group": iam.groups}.get(kind, {}).get(name)
        return str(found.path) if found else ""

    def profile_roles(self, name: str) -> list[str]:
        profiles = _backend("iam").instance_profiles.values()
        return [role.arn for profile in profiles if profile.name == name for role in profile.roles]

    def template(self, region: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
        ec2 = _backend("ec2", region)
        number = told.get("LaunchTemplateId") or ec2.launch_template_name_to_ids.get(told.get("LaunchTemplateName"))
        found = ec2.launch_templates.get(number)
        if not found:
            return {}
        return {"Id": found.id, "Data": found.get_version(told.get("Version") or "$Default").data}

    def image_owner(self, region: str, image: str) -> str:
        found = _backend("ec2", region).amis.get(image)
        return str(found.owner_alias or found.owner_id) if found else ""

    def file_system(self, region: str, mount_target: str) -> str:
        found = _backend("efs", region).mount_targets_by_id.get(mount_target)
        return str(found.file_system_id) if found else ""

    def group(self, region: str, name: str) -> str:
        found = _backend("autoscaling", region).autoscaling_groups.get(name)
        return str(found.arn) if found else ""

    def resource_policy(self, action: str, arn: str) -> tuple[Policy | None, bool]:
        """The policy of the resource itself, and whether nothing is allowed but through it."""
        parts = arn.split(":", 5)
        if len(parts) != 6:
            return None, False
        service, region, name = parts[2], parts[3], parts[5]
        document: Any = None
        if action == "sts:AssumeRole":
            role = _role(name.rsplit("/", 1)[-1])
            return (parse(f"trust of {role.name}", role.assume_role_policy_document) if role else None), True
        if service == "kms" and name.startswith("key/") and action != "kms:CreateKey":
            key = _backend("kms", region).keys.get(name.removeprefix("key/"))
            return (parse(f"policy of the key {key.id}", key.policy), True) if key else (None, False)
        if service == "s3" and not action.startswith(("s3:CreateBucket",)):
            bucket = _backend("s3").buckets.get(name.partition("/")[0])
            document = bucket.policy if bucket else None
        elif service == "sns":
            topic = _backend("sns", region).topics.get(arn)
            document = topic.policy if topic else None
        elif service == "sqs":
            queue = _backend("sqs", region).queues.get(name)
            document = queue.policy if queue else None
        elif service == "elasticfilesystem" and name.startswith("file-system/"):
            system = _backend("efs", region).file_systems_by_id.get(name.removeprefix("file-system/"))
            document = system.file_system_policy if system else None
        elif service == "secretsmanager":
            secret = _backend("secretsmanager", region).secrets.get(arn)
            document = secret.policy if secret else None
        elif service == "backup" and name.startswith("backup-vault:"):
            document = None  # no vault of ours has one
        if not document:
            return None, False
        text = document.decode() if isinstance(document, bytes) else document
        return parse(f"policy of {arn.rpartition(':')[2]}", text), False


# ---------------------------------------------------------------------------------------------------- tags


def _of_ec2(region: str, name: str, _: str) -> Mapping[str, str]:
    return dict(_backend("ec2", region).tags.get(name.rsplit("/", 1)[-1], {}))


def _of_kms(region: str, name: str, _: str) -> Mapping[str, str]:
    return dict(_backend("kms", region).tagger.get_tag_dict_for_resource(name.removeprefix("key/")))


def _of_files(region: str, name: str, _: str) -> Mapping[str, str]:
    return dict(_backend("efs", region).tagging_service.get_tag_dict_for_resource(name.rsplit("/", 1)[-1]))


def _of_certificates(region: str, _: str, arn: str) -> Mapping[str, str]:
    found = _backend("acm", region)._certificates.get(arn)
    return dict(found.tags) if found else {}


def _of_backup(region: str, _: str, arn: str) -> Mapping[str, str]:
    return dict(_backend("backup", region).tagger.get_tag_dict_for_resource(arn))


def _of_mail(region: str, name: str, arn: str) -> Mapping[str, str]:
    kind, _, short = name.partition("/")
    ses = _backend("ses", region)
    found = (ses.email_identities if kind == "identity" else ses.config_sets).get(short)
    tags = getattr(found, "tags", None) or []
    return dict(tags) if isinstance(tags, Mapping) else {tag["Key"]: tag["Value"] for tag in tags}


def _of_secrets(region: str, _: str, arn: str) -> Mapping[str, str]:
    found = _backend("secretsmanager", region).secrets.get(arn)
    return {tag["Key"]: tag["Value"] for tag in (found.tags if found else None) or []}


def _of_iam(_: str, name: str, __: str) -> Mapping[str, str]:
    role = _role(name.rsplit("/", 1)[-1]) if re.match("role/", name) else None
    tags = (role.tags if role else None) or []
    values = tags.values() if isinstance(tags, Mapping) else tags
    return {tag["Key"]: tag["Value"] for tag in values}


TAGS: dict[str, Callable[[str, str, str], Mapping[str, str]]] = {
    "acm": _of_certificates,
    "backup": _of_backup,
    "ec2": _of_ec2,
    "elasticfilesystem": _of_files,
    "iam": _of_iam,
    "kms": _of_kms,
    "secretsmanager": _of_secrets,
    "ses": _of_mail,
}
