"""A small posture in which nothing is wrong: each test breaks one thing of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from lyceum_lab.proofs.static.resources import Pointer, Posture, Resource, Statement

TAGS = {"Project": "lyceum", "ManagedBy": "terraform", "Environment": "prod"}
KEY = Pointer({"module.m.aws_kms_key.data"})
BUCKET = Pointer({"module.m.aws_s3_bucket.content"})
PLAIN = (("Bool", "aws:SecureTransport", ("false",)),)
ASSUME = (
    '{"Statement": {"Sid": "Servers", "Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ec2.amazonaws.com"}}}'
)
# "type.name" → values, of a module m in production.
VALUES: dict[str, dict[str, Any]] = {
    "aws_kms_key.data": {"enable_key_rotation": True, "deletion_window_in_days": 30, "tags_all": TAGS},
    "aws_lb.platform": {"internal": False, "enable_deletion_protection": True, "tags_all": TAGS},
    "aws_wafv2_web_acl_association.lb": {"resource_arn": Pointer({"module.m.aws_lb.platform"})},
    "aws_lb_listener.https": {"protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    "aws_lb_listener.http": {
        "protocol": "HTTP",
        "default_action": [{"type": "redirect", "redirect": [{"protocol": "HTTPS"}]}],
    },
    "aws_eip.nat": {"instance": None, "network_interface": None, "tags_all": TAGS},
    "aws_nat_gateway.zone": {"tags_all": TAGS},
    "aws_subnet.public": {"map_public_ip_on_launch": False, "tags_all": TAGS},
    "aws_vpc_security_group_ingress_rule.web": {"cidr_ipv4": "0.0.0.0/0", "from_port": 443, "to_port": 443},
    "aws_instance.bastion": {
        "associate_public_ip_address": False,
        "metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": 1}],
        "root_block_device": [{"encrypted": True, "kms_key_id": KEY}],
        "tags_all": TAGS,
    },
    "aws_launch_template.server": {
        "network_interfaces": [{"associate_public_ip_address": "false"}],
        "metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": 1}],
        "block_device_mappings": [{"ebs": [{"encrypted": "true", "kms_key_id": KEY}]}],
        "tag_specifications": [{"resource_type": "instance", "tags": TAGS}, {"resource_type": "volume", "tags": TAGS}],
        "tags_all": TAGS,
    },
    "aws_autoscaling_group.servers": {
        "tag": [{"key": name, "value": value, "propagate_at_launch": True} for name, value in TAGS.items()],
    },
    "aws_db_instance.database": {
        "publicly_accessible": False,
        "storage_encrypted": True,
        "kms_key_id": KEY,
        "performance_insights_kms_key_id": KEY,
        "master_user_secret_kms_key_id": KEY,
        "backup_retention_period": 7,
        "deletion_protection": True,
        "tags_all": TAGS,
    },
    "aws_db_parameter_group.database": {"parameter": [{"name": "rds.force_ssl", "value": "1"}], "tags_all": TAGS},
    "aws_dynamodb_table.progress": {
        "server_side_encryption": [{"enabled": True, "kms_key_arn": KEY}],
        "point_in_time_recovery": [{"enabled": True}],
        "deletion_protection_enabled": True,
        "tags_all": TAGS,
    },
    "aws_efs_file_system.files": {"encrypted": True, "kms_key_id": KEY, "tags_all": TAGS},
    "aws_efs_file_system_policy.files": {
        "file_system_id": Pointer({"module.m.aws_efs_file_system.files"}),
        "policy": Pointer({"module.m.data.aws_iam_policy_document.tls"}),
    },
    "aws_s3_bucket.content": {"force_destroy": False, "tags_all": TAGS},
    "aws_s3_bucket_public_access_block.content": {
        "bucket": BUCKET,
        "block_public_acls": True,
        "block_public_policy": True,
        "ignore_public_acls": True,
        "restrict_public_buckets": True,
    },
    "aws_s3_bucket_server_side_encryption_configuration.content": {
        "bucket": BUCKET,
        "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": KEY}]}],
    },
    "aws_s3_bucket_versioning.content": {"bucket": BUCKET, "versioning_configuration": [{"status": "Enabled"}]},
    "aws_s3_bucket_policy.content": {
        "bucket": BUCKET,
        "policy": Pointer({"module.m.data.aws_iam_policy_document.tls"}),
    },
    "aws_sesv2_configuration_set.mail": {"delivery_options": [{"tls_policy": "REQUIRE"}], "tags_all": TAGS},
    "aws_cloudwatch_log_group.system": {"retention_in_days": 3, "kms_key_id": KEY, "tags_all": TAGS},
    "aws_backup_vault.weekly": {"kms_key_arn": KEY, "force_destroy": False, "tags_all": TAGS},
    "aws_backup_vault_lock_configuration.weekly": {},
    "aws_backup_plan.weekly": {"rule": [{"lifecycle": [{"delete_after": 28}]}], "tags_all": TAGS},
    "aws_backup_selection.data": {
        "resources": Pointer({
            "module.m.aws_db_instance.database", "module.m.aws_dynamodb_table.progress",
            "module.m.aws_efs_file_system.files",
        }),
    },
    "aws_iam_role.server": {
        "permissions_boundary": "arn:aws:iam::123456789012:policy/lyceum-boundary",
        "assume_role_policy": ASSUME,
        "tags_all": TAGS,
    },
}  # fmt: skip
DOCUMENT = "module.m.data.aws_iam_policy_document"
STATEMENTS = {
    "tls": Statement(f"{DOCUMENT}.tls", "TlsOnly", "Deny", ("s3:*",), ("*",), (("AWS", "*"),), conditions=PLAIN),
    "server": Statement(f"{DOCUMENT}.server", "Metrics", "Allow", ("cloudwatch:PutMetricData",), ("*",)),
    "key": Statement(
        f"{DOCUMENT}.key", "Volumes", "Allow", ("kms:Decrypt",), ("*",), (("AWS", "*"),),
        conditions=(("ArnEquals", "aws:PrincipalArn", ("arn:aws:iam::123456789012:role/r",)),),
    ),
}  # fmt: skip


class Good:
    """The posture, to be broken."""

    def __init__(self) -> None:
        self.values = deepcopy(VALUES)
        self.statements = dict(STATEMENTS)
        self.name = "prod"

    def set(self, resource: str, path: str, value: Any) -> None:
        """Change what is at a path as "root_block_device.encrypted", in the first of each block."""
        *way, last = path.split(".")
        here = self.values[resource]
        for name in way:
            here = here[name][0]
        here[last] = value

    def state(self, name: str, **changed: Any) -> None:
        """Change a statement."""
        self.statements[name] = replace(self.statements[name], **changed)

    @property
    def posture(self) -> Posture:
        made: list[Resource] = [
            {"address": f"module.m.{name}", "type": name.split(".")[0], "values": values}
            for name, values in self.values.items()
        ]
        documents = {f"{DOCUMENT}.{name}": (statement,) for name, statement in self.statements.items()}
        return Posture(self.name, tuple(made), documents)


@pytest.fixture
def good() -> Good:
    return Good()
