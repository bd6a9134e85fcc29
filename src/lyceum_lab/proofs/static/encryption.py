"""What lies still is encrypted, by a key of ours where AWS takes one, and each key of ours is renewed every year."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lyceum_lab.proofs.static.exposure import Verdict
from lyceum_lab.proofs.static.resources import Pointer, Posture, Resource

# type → the arguments that must name a key of ours, as a path through blocks.
KEYS: dict[str, tuple[str, ...]] = {
    "aws_backup_vault": ("kms_key_arn",),
    "aws_cloudtrail": ("kms_key_id",),
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_db_instance": ("kms_key_id", "performance_insights_kms_key_id", "master_user_secret_kms_key_id"),
    "aws_dynamodb_table": ("server_side_encryption.kms_key_arn",),
    "aws_efs_file_system": ("kms_key_id",),
    "aws_instance": ("root_block_device.kms_key_id",),
    "aws_lambda_function": ("kms_key_arn",),
    "aws_launch_template": ("block_device_mappings.ebs.kms_key_id",),
    "aws_scheduler_schedule": ("kms_key_arn",),
    "aws_secretsmanager_secret": ("kms_key_id",),
    "aws_sns_topic": ("kms_master_key_id",),
}
# type → the switch that must be on beside the key.
SWITCHES = {
    "aws_db_instance": "storage_encrypted",
    "aws_dynamodb_table": "server_side_encryption.enabled",
    "aws_efs_file_system": "encrypted",
    "aws_instance": "root_block_device.encrypted",
    "aws_launch_template": "block_device_mappings.ebs.encrypted",
}
# Arguments about keys that are no encryption of something at rest.
OTHERWISE = {
    "aws_kms_alias",  # a key's name
    "aws_kms_key",
    "aws_s3_bucket",  # what is read here is set by the resource below
    "aws_s3_bucket_server_side_encryption_configuration",
}


def all_is_encrypted(posture: Posture) -> Iterator[Verdict]:
    """Whatever can be encrypted is, with a key of ours. A type that takes a key and has no rule here is a fault."""
    for resource in posture.resources:
        kind = resource["type"]
        if kind in KEYS:
            yield resource["address"], _by_our_key(resource)
        elif kind == "aws_s3_bucket":
            yield resource["address"], _bucket(posture, resource)
        elif kind not in OTHERWISE and (names := [name for name in resource["values"] if "kms" in name]):
            yield resource["address"], f"takes a key ({', '.join(names)}) about which there is no rule"


def _by_our_key(resource: Resource) -> str:
    switch = SWITCHES.get(resource["type"])
    if switch and not _all(resource["values"], switch, _is_on):
        return f"is not encrypted: {switch} is not true"
    lacking = [path for path in KEYS[resource["type"]] if not _all(resource["values"], path, _is_ours)]
    return f"is not encrypted by a key of ours: {', '.join(lacking)}" if lacking else ""


def _bucket(posture: Posture, bucket: Resource) -> str:
    for found in posture.beside(bucket, "aws_s3_bucket_server_side_encryption_configuration", "bucket"):
        path = "rule.apply_server_side_encryption_by_default"
        if _all(found["values"], f"{path}.sse_algorithm", _is_by_key) and _all(
            found["values"], f"{path}.kms_master_key_id", _is_ours
        ):
            return ""
    return "is not encrypted by a key of ours"


def _all(values: Any, path: str, holds: Any) -> bool:
    """Whether something is at the path, in every block on the way, and holds."""
    name, _, rest = path.partition(".")
    found = values.get(name) if isinstance(values, dict) else None
    if not rest:
        return bool(holds(found))
    return isinstance(found, list) and bool(found) and all(_all(block, rest, holds) for block in found)


def _is_on(value: Any) -> bool:
    return str(value).lower() == "true"


def _is_by_key(value: Any) -> bool:
    # The module takes the algorithm from whether there is a key, which a plan knows as little as the key itself.
    return value == "aws:kms" or _is_ours(value)


def _is_ours(value: Any) -> bool:
    if isinstance(value, Pointer):
        return any("aws_kms_key." in address for address in value.to)
    return ":key/" in str(value)


def keys_are_renewed(posture: Posture) -> Iterator[Verdict]:
    """Every key of ours is renewed by AWS, and is a month in going: data without its key is data lost."""
    for key in posture.of("aws_kms_key"):
        wrong = "" if key["values"].get("enable_key_rotation") is True else "is never renewed"
        if not wrong and (key["values"].get("deletion_window_in_days") or 0) < 30:
            wrong = "can be gone in less than 30 days"
        yield key["address"], wrong
