"""Each check accepts what is right, and names the address and the fault when one thing of it is broken."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lyceum_lab.proofs.static.conftest import Good

from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.static import excuses
from lyceum_lab.proofs.static.excuses import Excuse
from lyceum_lab.proofs.static.proof import CHECKS, hold
from lyceum_lab.proofs.static.resources import Pointer


@pytest.fixture(autouse=True)
def _no_excuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lyceum_lab.proofs.static.proof.EXCUSES", ())
    monkeypatch.setattr("lyceum_lab.proofs.static.proof.ON_EVERYTHING", {})


def said(promise: str, good: Good) -> str:
    with pytest.raises(Broken) as broken:
        hold(promise, CHECKS[promise], [good.posture])
    return str(broken.value)


@pytest.mark.parametrize("promise", CHECKS)
def test_what_is_right_is_kept(promise: str, good: Good) -> None:
    assert "looked at" in hold(promise, CHECKS[promise], [good.posture])


@pytest.mark.parametrize("promise", CHECKS)
def test_nothing_to_look_at_is_no_proof(promise: str, good: Good) -> None:
    good.values, good.statements, good.name = {}, {}, "dev"
    assert said(promise, good) == "there was nothing to look at"


@pytest.mark.parametrize(
    ("promise", "resource", "path", "value", "what"),
    [
        ("public", "aws_instance.bastion", "associate_public_ip_address", None, "does not refuse a public address"),
        ("public", "aws_launch_template.server", "network_interfaces", [], "does not refuse a public address"),
        ("public", "aws_launch_template.server", "network_interfaces.associate_public_ip_address", "true", "refuse"),
        ("public", "aws_subnet.public", "map_public_ip_on_launch", True, "gives whatever starts"),
        ("public", "aws_db_instance.database", "publicly_accessible", True, "is publicly accessible"),
        ("public", "aws_vpc_security_group_ingress_rule.web", "from_port", 22, "lets anybody in at 22-443"),
        ("public", "aws_eip.nat", "instance", "i-1", "is an address of no NAT gateway"),
        ("metadata", "aws_instance.bastion", "metadata_options.http_tokens", "optional", "without a token"),
        ("metadata", "aws_launch_template.server", "metadata_options", [], "without a token"),
        ("metadata", "aws_launch_template.server", "metadata_options.http_put_response_hop_limit", 2, "beyond itself"),
        ("tls", "aws_lb_listener.https", "ssl_policy", "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-2016-08"),
        ("tls", "aws_lb_listener.http", "default_action", [{"type": "forward"}], "serves without TLS"),
        ("tls", "aws_db_parameter_group.database", "parameter", [], "without TLS"),
        ("tls", "aws_sesv2_configuration_set.mail", "delivery_options.tls_policy", "OPTIONAL", "without TLS"),
        ("encrypted", "aws_db_instance.database", "storage_encrypted", False, "storage_encrypted is not true"),
        ("encrypted", "aws_db_instance.database", "kms_key_id", None, "kms_key_id"),
        ("encrypted", "aws_db_instance.database", "performance_insights_kms_key_id", None, "performance_insights"),
        ("encrypted", "aws_dynamodb_table.progress", "server_side_encryption", [], "server_side_encryption.enabled"),
        ("encrypted", "aws_efs_file_system.files", "kms_key_id", "alias/aws/elasticfilesystem", "no key"),
        ("encrypted", "aws_instance.bastion", "root_block_device.kms_key_id", Pointer(), "root_block_device"),
        ("encrypted", "aws_launch_template.server", "block_device_mappings.ebs.encrypted", None, "ebs.encrypted"),
        ("encrypted", "aws_cloudwatch_log_group.system", "kms_key_id", None, "kms_key_id"),
        ("encrypted", "aws_sesv2_configuration_set.mail", "kms_key_arn", None, "there is no rule"),
        ("renewed", "aws_kms_key.data", "enable_key_rotation", False, "is never renewed"),
        ("renewed", "aws_kms_key.data", "deletion_window_in_days", 7, "less than 30 days"),
        ("tagged", "aws_s3_bucket.content", "tags_all", {"Project": "lyceum"}, "ManagedBy=terraform, Environment=prod"),
        ("tagged", "aws_autoscaling_group.servers", "tag.propagate_at_launch", False, "Project=lyceum"),
        ("tagged", "aws_launch_template.server", "tag_specifications", [], "Project=lyceum"),
        ("retention", "aws_cloudwatch_log_group.system", "retention_in_days", 0, "keeps for ever"),
        ("retention", "aws_cloudwatch_log_group.system", "retention_in_days", 2, "keeps 2"),
        ("recoverable", "aws_db_instance.database", "backup_retention_period", 0, "go back 0 days"),
        ("recoverable", "aws_dynamodb_table.progress", "point_in_time_recovery", [], "no point-in-time"),
        ("recoverable", "aws_backup_plan.weekly", "rule.lifecycle.delete_after", 7, "keeps a copy 7 days"),
        ("protected", "aws_db_instance.database", "deletion_protection", False, "can be destroyed"),
        ("protected", "aws_s3_bucket.content", "force_destroy", True, "goes with what is in it"),
        ("bounded", "aws_iam_role.server", "permissions_boundary", None, "has no boundary"),
        ("bounded", "aws_iam_role.server", "permissions_boundary", "arn:aws:iam::1:policy/other", "has no boundary"),
    ],
)
def test_a_broken_value_is_named(good: Good, promise: str, resource: str, path: str, value: Any, what: str) -> None:
    good.set(resource, path, value)
    found = said(promise, good)
    assert found.startswith(f"prod: module.m.{resource} ")
    assert what.replace("no key", "not encrypted by a key of ours") in found


@pytest.mark.parametrize(
    ("promise", "beside", "of"),
    [
        ("public", "aws_s3_bucket_public_access_block.content", "aws_s3_bucket.content"),
        ("public", "aws_wafv2_web_acl_association.lb", "aws_lb.platform"),
        ("public", "aws_nat_gateway.zone", "aws_eip.nat"),
        ("encrypted", "aws_s3_bucket_server_side_encryption_configuration.content", "aws_s3_bucket.content"),
        ("tls", "aws_s3_bucket_policy.content", "aws_s3_bucket.content"),
        ("tls", "aws_efs_file_system_policy.files", "aws_efs_file_system.files"),
        ("recoverable", "aws_s3_bucket_versioning.content", "aws_s3_bucket.content"),
        ("recoverable", "aws_backup_selection.data", "aws_db_instance.database"),
        ("protected", "aws_backup_vault_lock_configuration.weekly", ""),
    ],
)
def test_what_stands_beside_must_be_there(good: Good, promise: str, beside: str, of: str) -> None:
    del good.values[beside]
    assert (f"module.m.{of} " if of else beside.split(".")[0]) in said(promise, good)


@pytest.mark.parametrize("kind", ["aws_lambda_function_url", "aws_s3_bucket_acl", "aws_cloudfront_distribution"])
def test_another_way_in_is_named(good: Good, kind: str) -> None:
    good.values[f"{kind}.new"] = {}
    assert f"module.m.{kind}.new " in said("public", good)


@pytest.mark.parametrize("conditions", [(), (("Bool", "aws:SecureTransport", ("true",)),)])
def test_without_a_deny_of_plain_http_a_bucket_is_named(good: Good, conditions: Any) -> None:
    good.state("tls", conditions=conditions)
    assert "module.m.aws_s3_bucket.content has no policy" in said("tls", good)


@pytest.mark.parametrize(
    "conditions",
    [
        (),
        (("StringNotEquals", "aws:PrincipalAccount", ("123456789012",)),),
        (("StringEqualsIfExists", "aws:PrincipalAccount", ("123456789012",)),),
        (("StringLike", "aws:PrincipalAccount", ("*",)),),
        (("Bool", "aws:SecureTransport", ("true",)),),
    ],
)
def test_everybody_is_named_unless_a_condition_says_who(good: Good, conditions: Any) -> None:
    good.state("key", conditions=conditions)
    assert "aws_iam_policy_document.key Volumes allows everybody" in said("strangers", good)


def test_all_but_some_is_everybody(good: Good) -> None:
    good.state("key", all_but_principals=True, principals=(("AWS", "arn:aws:iam::1:root"),))
    assert "allows everybody but some" in said("strangers", good)


def test_a_policy_that_no_plan_shows_is_named(good: Good) -> None:
    good.set("aws_s3_bucket_policy.content", "policy", Pointer({"module.m.aws_s3_bucket.content"}))
    assert "aws_s3_bucket_policy.content its policy is made of" in said("strangers", good)


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:GetObject"])
def test_an_action_on_everything_needs_a_reason(good: Good, action: str) -> None:
    good.state("server", actions=(action,))
    assert f"aws_iam_policy_document.server Metrics allows {action} on everything" in said("everything", good)


def test_a_condition_frees_an_action_and_never_a_service(good: Good) -> None:
    by_tag = (("StringEquals", "aws:ResourceTag/Project", ("lyceum",)),)
    good.state("server", actions=("ec2:StopInstances",), conditions=by_tag)
    assert hold("everything", CHECKS["everything"], [good.posture])
    good.state("server", actions=("ec2:*",), conditions=by_tag)
    assert "allows ec2:* on everything" in said("everything", good)


def test_an_excuse_covers_its_plan_only_and_must_be_needed(good: Good, monkeypatch: pytest.MonkeyPatch) -> None:
    excuse = Excuse("retention", "module.m.aws_cloudwatch_log_group.system", "so it is meant", plan="prod")
    monkeypatch.setattr("lyceum_lab.proofs.static.proof.EXCUSES", (excuse,))
    assert "is needed by nobody" in said("retention", good)
    good.set("aws_cloudwatch_log_group.system", "retention_in_days", 0)
    assert "so it is meant" in hold("retention", CHECKS["retention"], [good.posture])
    good.name = "dev"
    assert "dev: module.m.aws_cloudwatch_log_group.system keeps for ever" in said("retention", good)


def test_a_reason_for_an_action_that_nobody_has_is_refused(good: Good, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lyceum_lab.proofs.static.proof.ON_EVERYTHING", {"kms:ListAliases": "reads"})
    assert "the reason for kms:ListAliases is needed by nobody" in said("everything", good)


def test_every_excuse_has_its_promise_and_its_reason() -> None:
    assert {one.promise for one in excuses.EXCUSES} <= CHECKS.keys()
    assert all(len(one.why) > 20 for one in excuses.EXCUSES)
    assert all(excuses.ON_EVERYTHING.values())


def test_development_may_be_destroyed(good: Good) -> None:
    good.name = "dev"
    assert "nothing to look at" in said("protected", good)


def test_what_is_the_accounts_is_no_environments(good: Good) -> None:
    tags = {"Project": "lyceum", "ManagedBy": "terraform"}
    good.name, good.values = "bootstrap", {"aws_s3_bucket.state": {"tags_all": tags}}
    assert hold("tagged", CHECKS["tagged"], [good.posture]) == "1 looked at"
