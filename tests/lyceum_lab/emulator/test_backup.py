"""What the emulator adds to moto's AWS Backup: what a plan copies, a plan's change, a plan's end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator


def test_a_plan_is_made_changed_and_ended_after_what_it_copies(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    backup = emulator.client("backup")
    rule = {"RuleName": "weekly", "TargetBackupVaultName": "vault", "Lifecycle": {"DeleteAfterDays": 28}}
    backup.create_backup_vault(BackupVaultName="vault", BackupVaultTags={"Environment": "dev"})
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "weekly", "Rules": [rule]})["BackupPlanId"]
    wanted = {
        "SelectionName": "data",
        "IamRoleArn": "arn:aws:iam::123456789012:role/lyceum-dev-backup",
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
