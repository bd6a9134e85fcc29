# Plans only: the state bucket refuses to be destroyed, even by a test.
mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-deployer" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::lyceum-state-123456789012" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/audit" }
  }
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
