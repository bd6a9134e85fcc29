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

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-test-purge-schedule" }
  }
}

variables {
  function_name            = "lyceum-test-purge-logs"
  function_arn             = "arn:aws:lambda:us-east-1:123456789012:function:lyceum-test-purge-logs"
  description              = "Every hour"
  expression               = "cron(5 * * * ? *)"
  tries                    = { again = 5, seconds = 3000 }
  role_name                = "lyceum-test-purge-schedule"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"
}

run "it_starts_one_function_when_it_says" {
  command = plan

  assert {
    condition     = aws_scheduler_schedule.this.schedule_expression == "cron(5 * * * ? *)" && aws_scheduler_schedule.this.schedule_expression_timezone == "UTC"
    error_message = "As it was told, in UTC."
  }

  assert {
    condition     = one(aws_scheduler_schedule.this.flexible_time_window).mode == "OFF"
    error_message = "A window would be minutes that nobody counts."
  }

  assert {
    condition = one(one(aws_scheduler_schedule.this.target).retry_policy) == {
      maximum_event_age_in_seconds = 3000
      maximum_retry_attempts       = 5
    }
    error_message = "It is tried again as often and as long as it was told."
  }

  assert {
    condition     = one(aws_scheduler_schedule.this.target).arn == var.function_arn && one(data.aws_iam_policy_document.schedule.statement).resources == toset([var.function_arn])
    error_message = "It starts that function, and its role may start no other."
  }
}

run "its_role_is_the_schedulers_of_this_account" {
  command = plan

  assert {
    condition = alltrue([
      one(one(data.aws_iam_policy_document.trust.statement).principals).identifiers == toset(["scheduler.amazonaws.com"]),
      one(one(data.aws_iam_policy_document.trust.statement).condition).variable == "aws:SourceAccount",
      one(one(data.aws_iam_policy_document.trust.statement).condition).values == tolist(["123456789012"]),
    ])
    error_message = "Another account's schedule may not become it."
  }

  assert {
    condition     = aws_iam_role.schedule.permissions_boundary == var.permissions_boundary_arn && one(data.aws_iam_policy_document.schedule.statement).actions == toset(["lambda:InvokeFunction"])
    error_message = "It starts functions, within the boundary."
  }
}

run "bad_input_is_refused_by_name" {
  command = plan

  variables {
    function_name = "A"
    expression    = "hourly"
    tries         = { again = 200, seconds = 1 }
  }

  expect_failures = [var.function_name, var.expression, var.tries]
}
