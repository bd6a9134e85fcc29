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

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:lyceum-audit-alarms" }
  }
}

variables {
  alarm_email = "operator@example.org"
}

run "nobody_but_the_purge_deletes_a_line_of_a_log" {
  command = plan

  assert {
    condition = alltrue([
      for statement in concat(
        data.aws_iam_policy_document.boundary.statement,
        data.aws_iam_policy_document.boundary_backup.statement,
        data.aws_iam_policy_document.boundary_operations.statement,
        ) : alltrue([
          for arn in statement.resources : can(regex(":log-group:/lyceum/(dev|prod)/(application|system):log-stream:\\*$", arn))
          ]) && anytrue([
          for c in statement.condition : toset(c.values) == toset(["arn:aws:iam::123456789012:role/lyceum-dev-purge-logs", "arn:aws:iam::123456789012:role/lyceum-prod-purge-logs"])
      ]) if anytrue([for action in statement.actions : startswith(action, "logs:Delete") || contains(["logs:*", "*"], action)])
    ])
    error_message = "Within the boundary only the purge's role deletes streams, and only of the logs that are kept two days."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.boundary_operations.statement : contains(statement.actions, "logs:DeleteLogStream")
    ])
    error_message = "The purge may do its work."
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.deployer_operations.statement : [
        for action in statement.actions : !contains([
          "logs:DeleteLogStream", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery", "lambda:InvokeFunction", "sns:Publish",
        ], action) && !endswith(action, ":*")
      ]
    ]))
    error_message = "The deployer reads no log, deletes no stream, starts no function and rings no alarm."
  }
}

run "nobody_but_a_schedule_starts_a_function" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.boundary_operations.statement : [
        for condition in statement.condition : condition.values if condition.variable == "aws:PrincipalArn"
      ] if contains(statement.actions, "lambda:InvokeFunction")
      ])) == toset([
      "arn:aws:iam::123456789012:role/lyceum-dev-canary-schedule", "arn:aws:iam::123456789012:role/lyceum-dev-purge-schedule",
      "arn:aws:iam::123456789012:role/lyceum-prod-canary-schedule", "arn:aws:iam::123456789012:role/lyceum-prod-purge-schedule",
    ])
    error_message = "Within the boundary only the schedules' roles start a function."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.boundary_operations.statement : tolist(statement.resources)
      if contains(statement.actions, "lambda:InvokeFunction")
      ])) == toset([
      "arn:aws:lambda:*:123456789012:function:lyceum-dev-canary", "arn:aws:lambda:*:123456789012:function:lyceum-dev-purge-logs",
      "arn:aws:lambda:*:123456789012:function:lyceum-prod-canary", "arn:aws:lambda:*:123456789012:function:lyceum-prod-purge-logs",
    ])
    error_message = "And only those that have a schedule."
  }
}

run "what_it_changes_carries_the_environments_name" {
  command = plan

  variables {
    environments = ["dev"]
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.deployer_operations.statement : [
        for arn in statement.resources : can(regex("lyceum[-/]dev([-/:]|$)", arn))
      ] if statement.sid != "LookAtLogsAndAlarms" && statement.sid != "Subscriptions"
    ]))
    error_message = "Only development's names."
  }

  assert {
    condition = alltrue([
      for group in local.environment_log_groups : !can(regex("^${replace(group, "*", ".*")}$", "/lyceum/audit"))
    ])
    error_message = "The audit trail's group is not an environment's."
  }
}

run "somebody_hears_before_the_money_is_spent" {
  command = plan

  assert {
    condition     = aws_budgets_budget.monthly.limit_amount == "400.0" && aws_budgets_budget.monthly.time_unit == "MONTHLY" && aws_budgets_budget.monthly.limit_unit == "USD"
    error_message = "Dollars a month."
  }

  assert {
    condition = toset([for n in aws_budgets_budget.monthly.notification : "${n.notification_type} ${n.threshold}"]) == toset([
      "ACTUAL 80", "ACTUAL 100", "FORECASTED 100",
    ])
    error_message = "When the forecast passes the budget, and when the bill does."
  }

  assert {
    condition     = alltrue([for n in aws_budgets_budget.monthly.notification : n.subscriber_email_addresses == toset(["operator@example.org"])])
    error_message = "The operator hears."
  }
}

run "no_budget_is_refused" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}
