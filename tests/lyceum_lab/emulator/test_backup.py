"""What the emulator adds to moto's AWS Backup: what a plan copies, its change and end; copies, and restores of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

ROLE = "arn:aws:iam::123456789012:role/lyceum-dev-backup"


def test_a_plan_is_made_changed_and_ended_after_what_it_copies(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    backup = emulator.client("backup")
    rule = {"RuleName": "weekly", "TargetBackupVaultName": "vault", "Lifecycle": {"DeleteAfterDays": 28}}
    backup.create_backup_vault(BackupVaultName="vault", BackupVaultTags={"Environment": "dev"})
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "weekly", "Rules": [rule]})["BackupPlanId"]
    wanted = {
        "SelectionName": "data",
        "IamRoleArn": ROLE,
        "Resources": ["arn:aws:s3:::lyceum-dev-content"],
    }
    selection = backup.create_backup_selection(BackupPlanId=plan, BackupSelection=wanted)["SelectionId"]
    assert emulator.page("resources") == {"backup": {"backup vault": 1, "backup plan": 1}}

    found = backup.get_backup_selection(BackupPlanId=plan, SelectionId=selection)["BackupSelection"]
    assert found == wanted
    vault = backup.describe_backup_vault(BackupVaultName="vault")["BackupVaultArn"]
    assert backup.list_tags(ResourceArn=vault)["Tags"] == {"Environment": "dev"}
    assert backup.list_recovery_points_by_backup_vault(BackupVaultName="vault")["RecoveryPoints"] == []

    def rule_kept() -> dict[str, object]:
        kept: dict[str, object] = backup.get_backup_plan(BackupPlanId=plan)["BackupPlan"]["Rules"][0]
        return kept

    before = rule_kept()
    longer = {"BackupPlanName": "weekly", "Rules": [{**rule, "Lifecycle": {"DeleteAfterDays": 35}}]}
    backup.update_backup_plan(BackupPlanId=plan, BackupPlan=longer)
    assert rule_kept()["Lifecycle"] == {"DeleteAfterDays": 35}
    assert rule_kept()["RuleId"] == before["RuleId"]

    with pytest.raises(ClientError, match="must be deleted prior"):
        backup.delete_backup_plan(BackupPlanId=plan)
    backup.delete_backup_selection(BackupPlanId=plan, SelectionId=selection)
    backup.delete_backup_plan(BackupPlanId=plan)
    backup.delete_backup_vault(BackupVaultName="vault")
    assert emulator.page("resources") == {}

    # On AWS a plan's name is no key: the same code applies again.
    backup.create_backup_plan(BackupPlan={"BackupPlanName": "weekly", "Rules": [rule]})


def test_a_copy_is_made_and_restored_at_once_under_another_name(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    backup, dynamodb = emulator.client("backup"), emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="progress", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName="progress", Item={"pk": {"S": "of then"}})
    backup.create_backup_vault(BackupVaultName="vault")
    arn = dynamodb.describe_table(TableName="progress")["Table"]["TableArn"]
    job = backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=ROLE)
    dynamodb.delete_item(TableName="progress", Key={"pk": {"S": "of then"}})

    assert backup.describe_backup_job(BackupJobId=job["BackupJobId"])["State"] == "COMPLETED"
    kept = {"BackupVaultName": "vault", "RecoveryPointArn": job["RecoveryPointArn"]}
    assert backup.describe_recovery_point(**kept)["ResourceArn"] == arn
    (listed,) = backup.list_recovery_points_by_backup_vault(BackupVaultName="vault", ByResourceArn=arn)[
        "RecoveryPoints"
    ]
    assert (listed["ResourceType"], listed["Status"]) == ("DynamoDB", "COMPLETED")
    assert backup.list_recovery_points_by_backup_vault(BackupVaultName="vault", ByResourceType="RDS")[
        "RecoveryPoints"
    ] == []  # fmt: skip

    def restore(**metadata: str) -> Any:
        started = backup.start_restore_job(
            RecoveryPointArn=job["RecoveryPointArn"], IamRoleArn=ROLE, Metadata=metadata, ResourceType="DynamoDB"
        )
        return backup.describe_restore_job(RestoreJobId=started["RestoreJobId"])

    assert restore(targetTableName="copy")["CreatedResourceArn"].endswith(":table/copy")
    assert [item["pk"]["S"] for item in dynamodb.scan(TableName="copy")["Items"]] == ["of then"]
    # As on AWS, a job is taken on and fails: over something live, and without what it has to know.
    assert restore(targetTableName="progress")["Status"] == "FAILED"
    assert "'targetTableName' is missing" in restore(odd="one")["StatusMessage"]
    assert dynamodb.scan(TableName="progress")["Items"] == []
    assert [one["Status"] for one in backup.list_restore_jobs(ByStatus="FAILED")["RestoreJobs"]] == ["FAILED"] * 2

    backup.delete_recovery_point(**kept)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        backup.describe_recovery_point(**kept)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        restore(targetTableName="again")


@pytest.mark.parametrize(
    ("vault", "resource", "code"),
    [
        ("nowhere", "arn:aws:s3:::lyceum-dev-content", "ResourceNotFoundException"),
        ("vault", "arn:aws:dynamodb:us-east-1:123456789012:table/nothing", "ResourceNotFoundException"),
        ("vault", "arn:aws:s3:::nothing-of-ours", "ResourceNotFoundException"),
        ("vault", "arn:aws:rds:us-east-1:123456789012:db:nothing", "ResourceNotFoundException"),
        ("vault", "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0", "ResourceNotFoundException"),
        ("vault", "arn:aws:sqs:us-east-1:123456789012:queue", "InvalidParameterValueException"),
    ],
)
def test_what_is_not_there_or_of_no_kind_is_not_copied(
    emulator: Emulator, vault: str, resource: str, code: str
) -> None:
    backup = emulator.client("backup")
    if not backup.list_backup_vaults()["BackupVaultList"]:
        backup.create_backup_vault(BackupVaultName="vault")
    with pytest.raises(ClientError, match=code):
        backup.start_backup_job(BackupVaultName=vault, ResourceArn=resource, IamRoleArn=ROLE)
    assert backup.list_backup_jobs()["BackupJobs"] == []
