mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }

  mock_data "aws_default_tags" {
    defaults = {
      tags = { Project = "lyceum", Environment = "dev", ManagedBy = "terraform" }
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }
}

variables {
  name = "lyceum-test"

  resources = {
    database = "arn:aws:rds:us-east-1:123456789012:db:lyceum-test-database"
    progress = "arn:aws:dynamodb:us-east-1:123456789012:table/lyceum-test-progress"
    content  = "arn:aws:s3:::lyceum-test-content-123456789012"
    files    = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
  }

  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"
}

run "weekly_and_four_weeks" {
  command = plan

  assert {
    condition     = one(aws_backup_plan.weekly.rule).schedule == "cron(0 3 ? * SUN *)"
    error_message = "Once a week, Sundays at three."
  }

  assert {
    condition     = one(one(aws_backup_plan.weekly.rule).lifecycle).delete_after == 28
    error_message = "Four weekly recovery points are kept."
  }

  assert {
    condition     = !one(aws_backup_plan.weekly.rule).enable_continuous_backup
    error_message = "Point-in-time recovery is the services' own."
  }

  # RDS's next window opens Monday 01:00, and AWS Backup keeps an hour away from it.
  assert {
    condition     = 3 * 60 + one(aws_backup_plan.weekly.rule).start_window + one(aws_backup_plan.weekly.rule).completion_window <= 24 * 60
    error_message = "The last job has ended before RDS's own windows come near."
  }

  assert {
    condition     = toset(aws_backup_selection.data.resources) == toset(values(var.resources))
    error_message = "Every store is copied, and nothing else."
  }

  assert {
    condition     = one(aws_backup_plan.weekly.rule).recovery_point_tags.Environment == "dev"
    error_message = "A recovery point tells its environment: who may delete it depends on that."
  }
}

run "locked_so_that_an_administrator_can_lift_it" {
  command = plan

  assert {
    condition     = aws_backup_vault_lock_configuration.governance[0].changeable_for_days == null
    error_message = "Governance mode: a lock with a cooling-off time can never be lifted."
  }

  assert {
    condition     = aws_backup_vault_lock_configuration.governance[0].min_retention_days == 28 && aws_backup_vault_lock_configuration.governance[0].max_retention_days == 35
    error_message = "The plan's retention lies within what the lock admits, or every job would fail."
  }

  assert {
    condition     = !aws_backup_vault.this.force_destroy
    error_message = "Recovery points do not go with their vault."
  }
}

run "an_unprotected_environment_can_be_destroyed" {
  command = plan

  variables {
    protected = false
  }

  assert {
    condition     = length(aws_backup_vault_lock_configuration.governance) == 0 && aws_backup_vault.this.force_destroy
    error_message = "No lock, and the vault goes with what is in it."
  }
}

run "the_role_carries_the_boundary" {
  command = plan

  assert {
    condition     = aws_iam_role.backup.permissions_boundary == var.permissions_boundary_arn
    error_message = "The deployer may make no role without it."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).principals).identifiers == toset(["backup.amazonaws.com"])
    error_message = "AWS Backup assumes it, and nobody else."
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.backup) == 4
    error_message = "Backup and restore, each also of S3."
  }
}

run "bad_input_is_refused_by_name" {
  command = plan

  variables {
    retention_days           = 6
    resources                = { topic = "arn:aws:sns:us-east-1:123456789012:lyceum" }
    permissions_boundary_arn = ""
  }

  expect_failures = [var.retention_days, var.resources, var.permissions_boundary_arn]
}
