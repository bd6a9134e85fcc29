# Plans only: the state bucket refuses to be destroyed, even by a test.
mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  alarm_email = "operator@example.org"
}

run "backups_outlast_whoever_deploys" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_backup.statement :
      anytrue([for c in statement.condition : c.variable == "aws:ResourceTag/Environment" && c.values == tolist(["dev"])])
      if contains(statement.actions, "backup:DeleteRecoveryPoint")
    ])
    error_message = "The deployer deletes recovery points of development only."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.deployer_backup.statement :
      statement.effect == "Deny" && contains(statement.actions, "backup:PutBackupVaultLockConfiguration")
    ])
    error_message = "The deployer cannot make a lock that nobody may ever lift."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.boundary_backup.statement :
      anytrue([for c in statement.condition : c.variable == "aws:PrincipalArn" && c.values == tolist(local.backup_roles)])
    ])
    error_message = "Only the backup roles get the wider boundary."
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.boundary_backup.statement :
      [for action in statement.actions : !startswith(action, "iam:") && !startswith(action, "sts:") && !startswith(action, "rds:DeleteDBInstance")]
    ]))
    error_message = "A backup role touches no identity and deletes no database."
  }
}

run "without_development_nothing_in_a_vault_can_be_deleted" {
  command = plan

  variables {
    environments = ["prod"]
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_backup.statement : !contains(statement.actions, "backup:DeleteRecoveryPoint")
    ])
    error_message = "An account of production alone lets the deployer delete no recovery point."
  }
}
