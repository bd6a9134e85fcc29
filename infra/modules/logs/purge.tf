# What makes three days two (functions/purge_logs says how).
locals {
  purge_name = "${var.name}-purge-logs"

  # The groups that the rule of two days is about. No other is ever purged.
  purged = ["application", "system"]
}

resource "aws_lambda_function" "purge" {
  #checkov:skip=CKV_AWS_115:Started once an hour by one schedule; a young account has no concurrency to reserve.
  #checkov:skip=CKV_AWS_116:The next hour does what a failed run left; an alarm tells of failures and of missing runs.
  #checkov:skip=CKV_AWS_117:It reaches CloudWatch Logs only; in the VPC it would need a way out for nothing.
  #checkov:skip=CKV_AWS_173:Its settings are two names of log groups, no secret; AWS encrypts them.
  #checkov:skip=CKV_AWS_272:Its code is this repository's, built before each plan; who may write it may write the signing too.
  #checkov:skip=CKV_AWS_50:One call after another to one service: its log tells as much.

  function_name = local.purge_name
  description   = "Deletes log streams whose hour ended two days ago"
  role          = aws_iam_role.purge.arn

  filename         = var.purge_zip
  source_code_hash = filebase64sha256(var.purge_zip)
  handler          = "purge_logs.handler"
  runtime          = "python3.13"
  architectures    = ["arm64"]
  memory_size      = 128
  # Five deletions a second are the least that AWS grants: time for more than a thousand.
  timeout = 300

  environment {
    variables = { LOG_GROUPS = jsonencode([for group in local.purged : aws_cloudwatch_log_group.this[group].name]) }
  }

  # Lambda would make the group itself, without a key and without an end.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this["purge"].name
  }

  # Its first run must already be allowed.
  depends_on = [aws_iam_role_policy.purge]
}

module "schedule" {
  source = "../schedule"

  function_name = local.purge_name
  function_arn  = aws_lambda_function.purge.arn
  role_name     = "${var.name}-purge-schedule"
  description   = "Every hour: two days of logs, no more"
  # Not rate(1 hour), which counts from whenever it was made: each minute after the hour is a minute more that the
  # oldest line is kept. Five, so that no server still writes to the hour's stream when its 48 hours begin to count.
  expression = "cron(5 * * * ? *)"
  # A run that could not be started is worth nothing once the next one is due.
  tries = { again = 5, seconds = 3000 }

  permissions_boundary_arn = var.permissions_boundary_arn
}

resource "aws_iam_role" "purge" {
  name                 = local.purge_name
  description          = "Deletes old streams of two log groups"
  assume_role_policy   = data.aws_iam_policy_document.purge_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "purge_trust" {
  statement {
    sid     = "Lambda"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "purge" {
  name   = "purge"
  role   = aws_iam_role.purge.id
  policy = data.aws_iam_policy_document.purge.json
}

# No right to read an event: it sees names and times of streams only.
data "aws_iam_policy_document" "purge" {
  statement {
    sid       = "LookAtStreams"
    actions   = ["logs:DescribeLogStreams"]
    resources = [for group in local.purged : "${local.group_arns[group]}:*"]
  }

  statement {
    sid       = "DeleteStreams"
    actions   = ["logs:DeleteLogStream"]
    resources = [for group in local.purged : "${local.group_arns[group]}:log-stream:*"]
  }

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.group_arns.purge}:log-stream:*"]
  }
}
