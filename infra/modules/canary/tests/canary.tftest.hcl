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
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-test-canary" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:lyceum-test-canary" }
  }
}

variables {
  name                     = "lyceum-test"
  url                      = "https://learn.school.example"
  metrics_namespace        = "Lyceum/test"
  log_group                = { name = "/aws/lambda/lyceum-test-canary", arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/lyceum-test-canary" }
  canary_zip               = "tests/any.zip"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"
}

run "it_asks_from_outside_and_knows_no_secret" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.canary.vpc_config) == 0
    error_message = "In the VPC it would come from where no learner comes."
  }

  assert {
    condition = one(aws_lambda_function.canary.environment).variables == tomap({
      CANARY_URL       = "https://learn.school.example"
      CANARY_NAMESPACE = "Lyceum/test"
    })
    error_message = "A public address, a namespace, and nothing else."
  }

  assert {
    condition     = one(aws_lambda_function.canary.logging_config).log_group == var.log_group.name
    error_message = "Its log is the group that is encrypted and has an end."
  }
}

run "it_may_tell_one_namespace_and_read_nothing" {
  command = plan

  assert {
    condition = toset(flatten([for statement in data.aws_iam_policy_document.canary.statement : tolist(statement.actions)])) == toset([
      "cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:PutLogEvents",
    ])
    error_message = "Metrics and its own log."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.canary.statement :
      one(statement.condition).variable == "cloudwatch:namespace" && one(statement.condition).values == tolist(["Lyceum/test"])
      if contains(statement.actions, "cloudwatch:PutMetricData")
    ])
    error_message = "In the environment's own namespace only."
  }

  assert {
    condition = alltrue([
      for role in [{ name = aws_iam_role.canary.name, boundary = aws_iam_role.canary.permissions_boundary }, module.schedule.role] :
      role.boundary == var.permissions_boundary_arn && startswith(role.name, "lyceum-test-")
    ])
    error_message = "The deployer may make no role without the boundary, nor under another name."
  }
}

run "it_asks_once_a_minute" {
  command = plan

  assert {
    condition     = module.schedule.when.expression == "rate(1 minute)" && module.schedule.when.again == 0
    error_message = "The objective counts minutes: each is asked in once, or not."
  }

  assert {
    condition     = aws_lambda_function.canary.timeout < 60
    error_message = "A run is over before the next one."
  }
}

run "bad_input_is_refused_by_name" {
  command = plan

  variables {
    name                     = "Lyceum"
    url                      = "http://learn.school.example"
    metrics_namespace        = "AWS/EC2"
    permissions_boundary_arn = "lyceum-boundary"
  }

  expect_failures = [var.name, var.url, var.metrics_namespace, var.permissions_boundary_arn]
}

run "an_archive_that_was_not_built_is_refused" {
  command = plan

  variables {
    canary_zip = "tests/not-built.zip"
  }

  # Its hash cannot be had either.
  expect_failures = [var.canary_zip]
}
