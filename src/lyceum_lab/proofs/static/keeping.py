"""What is kept, for how long, and whose it is: tags, the end of logs, backups."""

from __future__ import annotations

from collections.abc import Iterator

from lyceum_lab.proofs.static.exposure import Verdict
from lyceum_lab.proofs.static.resources import Posture, Resource, plain, pointed

# The days that CloudWatch Logs takes (PutRetentionPolicy); 0, its "for ever", is not among them here.
RETENTIONS = {
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}  # fmt: skip
STUDENT_DATA = ("aws_db_instance", "aws_dynamodb_table", "aws_efs_file_system")
# Neither gets the provider's default tags: they say it themselves, in blocks.
OWN_TAGS = {"aws_autoscaling_group": "tag", "aws_launch_template": "tag_specifications"}


def all_is_tagged(posture: Posture) -> Iterator[Verdict]:
    """Whatever takes tags says whose it is: Project, ManagedBy, and Environment, save what is the account's."""
    wanted = {"Project": "lyceum", "ManagedBy": "terraform"}
    if posture.name != "bootstrap":
        wanted["Environment"] = posture.name
    for resource in posture.resources:
        for tags in _tags(resource):
            lacking = [f"{name}={value}" for name, value in wanted.items() if tags.get(name) != value]
            yield resource["address"], f"lacks {', '.join(lacking)}" if lacking else ""


def _tags(resource: Resource) -> Iterator[dict[str, str]]:
    values = resource["values"]
    if "tags_all" in values:
        yield values["tags_all"] or {}
    blocks = values.get(OWN_TAGS.get(resource["type"], "")) or []
    if resource["type"] == "aws_autoscaling_group":
        yield {one["key"]: one["value"] for one in blocks if one["propagate_at_launch"]}
    elif resource["type"] == "aws_launch_template":
        made = {one["resource_type"]: one["tags"] for one in blocks}
        yield made.get("instance") or {}
        yield made.get("volume") or {}


def every_log_ends(posture: Posture) -> Iterator[Verdict]:
    """Every log group has a retention that AWS knows."""
    for group in posture.of("aws_cloudwatch_log_group"):
        days = group["values"].get("retention_in_days")
        yield group["address"], "" if days in RETENTIONS else f"keeps {days or 'for ever'}"


def all_can_be_had_back(posture: Posture) -> Iterator[Verdict]:
    """Any second of the last days, the weekly copy of all student data, and versions of every object."""
    for bucket in posture.of("aws_s3_bucket"):
        found = posture.beside(bucket, "aws_s3_bucket_versioning", "bucket")
        kept = any(one["values"]["versioning_configuration"][0]["status"] == "Enabled" for one in found)
        yield bucket["address"], "" if kept else "keeps no versions"
    for database in posture.of("aws_db_instance"):
        days = database["values"].get("backup_retention_period") or 0
        yield database["address"], "" if days >= 7 else f"can go back {days} days"
    for table in posture.of("aws_dynamodb_table"):
        recovery = table["values"].get("point_in_time_recovery") or [{}]
        yield table["address"], "" if recovery[0].get("enabled") is True else "has no point-in-time recovery"
    for plan in posture.of("aws_backup_plan"):
        for rule in plan["values"]["rule"]:
            ends = (rule.get("lifecycle") or [{}])[0].get("delete_after") or 0
            yield plan["address"], "" if ends >= 28 else f"keeps a copy {ends} days"
    selected = pointed([one["values"].get("resources") for one in posture.of("aws_backup_selection")])
    for resource in posture.of(*STUDENT_DATA):
        yield resource["address"], "" if plain(resource["address"]) in selected else "is in no weekly copy"


def production_is_protected(posture: Posture) -> Iterator[Verdict]:
    """In production nothing that holds data goes by mistake."""
    if posture.name != "prod":
        return
    for resource in posture.of("aws_db_instance", "aws_dynamodb_table", "aws_lb"):
        names = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")
        kept = any(resource["values"].get(name) is True for name in names)
        yield resource["address"], "" if kept else "can be destroyed"
    for bucket in posture.of("aws_s3_bucket", "aws_backup_vault"):
        yield bucket["address"], "goes with what is in it" if bucket["values"].get("force_destroy") else ""
    if not list(posture.of("aws_backup_vault_lock_configuration")):
        yield "aws_backup_vault_lock_configuration", "is not there: recovery points can be deleted"
