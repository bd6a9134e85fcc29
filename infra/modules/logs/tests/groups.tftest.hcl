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

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-test-purge" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:lyceum-test-purge-logs" }
  }
}

variables {
  name                     = "lyceum-test"
  environment              = "test"
  purge_zip                = "tests/any.zip"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"
}

run "every_group_has_its_name_an_end_and_the_key" {
  command = plan

  assert {
    condition = jsonencode({ for group, made in aws_cloudwatch_log_group.this : made.name => made.retention_in_days }) == jsonencode({
      "/lyceum/test/system"                               = 3
      "/lyceum/test/application"                          = 3
      "/lyceum/test/flow"                                 = 3
      "/lyceum/test/sessions"                             = 90
      "aws-waf-logs-lyceum-test"                          = 3
      "/aws/rds/instance/lyceum-test-database/postgresql" = 3
      "/aws/rds/instance/lyceum-test-database/upgrade"    = 3
      "/aws/lambda/lyceum-test-purge-logs"                = 3
      "/aws/lambda/lyceum-test-canary"                    = 3
    })
    error_message = "Three days for all, ninety for who opened the database."
  }

  assert {
    condition     = alltrue([for made in aws_cloudwatch_log_group.this : made.kms_key_id == aws_kms_key.logs.arn])
    error_message = "All are encrypted with our key."
  }

  assert {
    condition     = aws_kms_key.logs.enable_key_rotation
    error_message = "The key is turned over every year."
  }

  assert {
    condition = one([
      for statement in data.aws_iam_policy_document.key.statement : toset(one(statement.condition).values)
      if one(statement.principals).identifiers == toset(["logs.us-east-1.amazonaws.com"])
    ]) == toset([for made in aws_cloudwatch_log_group.this : "arn:aws:logs:us-east-1:123456789012:log-group:${made.name}"])
    error_message = "CloudWatch Logs uses the key for these groups only."
  }
}

run "the_purge_may_delete_streams_of_two_groups_and_nothing_else" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.purge.statement : statement.resources if contains(statement.actions, "logs:DeleteLogStream")
      ])) == toset([
      "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/application:log-stream:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/system:log-stream:*",
    ])
    error_message = "Streams of the system and application logs, by name."
  }

  assert {
    condition = toset(flatten([for statement in data.aws_iam_policy_document.purge.statement : tolist(statement.actions)])) == toset([
      "logs:CreateLogStream", "logs:DeleteLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
    ])
    error_message = "It reads no event and deletes no group."
  }

  assert {
    condition     = jsondecode(one(aws_lambda_function.purge.environment).variables.LOG_GROUPS) == ["/lyceum/test/application", "/lyceum/test/system"]
    error_message = "It is told the groups that it may purge."
  }

  assert {
    condition     = one(aws_lambda_function.purge.logging_config).log_group == "/aws/lambda/lyceum-test-purge-logs"
    error_message = "Its own log is the group that is made here."
  }

  assert {
    condition = alltrue([
      for role in [{ name = aws_iam_role.purge.name, boundary = aws_iam_role.purge.permissions_boundary }, module.schedule.role] :
      role.boundary == var.permissions_boundary_arn && startswith(role.name, "lyceum-test-")
    ])
    error_message = "The deployer may make no role without the boundary, nor under another name."
  }
}

run "it_runs_at_five_past_every_hour" {
  command = plan

  assert {
    condition     = module.schedule.when.expression == "cron(5 * * * ? *)"
    error_message = "Every hour, as the streams are named."
  }

  assert {
    condition     = module.schedule.when.seconds < 3600
    error_message = "A late run does not meet the next one."
  }
}

run "how_long_sessions_are_kept_can_be_changed_alone" {
  command = plan

  variables {
    retention_days = { sessions = 365 }
  }

  assert {
    condition     = aws_cloudwatch_log_group.this["sessions"].retention_in_days == 365 && aws_cloudwatch_log_group.this["system"].retention_in_days == 3
    error_message = "A year of sessions, and all else as it was."
  }
}

run "a_retention_that_cloudwatch_does_not_know_is_refused" {
  command = plan

  variables {
    retention_days = { sessions = 2 }
  }

  expect_failures = [var.retention_days]
}

run "a_retention_that_ends_before_the_second_day_is_refused" {
  command = plan

  variables {
    retention_days = { logs = 1 }
  }

  expect_failures = [var.retention_days]
}

run "bad_input_is_refused_by_name" {
  command = plan

  variables {
    name                     = "Lyceum"
    environment              = "a/b"
    permissions_boundary_arn = "lyceum-boundary"
  }

  expect_failures = [var.name, var.environment, var.permissions_boundary_arn]
}

run "an_archive_that_was_not_built_is_refused" {
  command = plan

  variables {
    purge_zip = "tests/not-built.zip"
  }

  # Its hash cannot be had either.
  expect_failures = [var.purge_zip]
}
