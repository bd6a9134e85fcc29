resource "aws_scheduler_schedule" "purge" {
  #checkov:skip=CKV_AWS_297:It carries no input; AWS encrypts what there is.

  name        = "${var.name}-purge-logs"
  description = "Every hour: two days of logs, no more"

  # Not rate(1 hour), which counts from whenever it was made: each minute after the hour is a minute more that the
  # oldest line is kept. Five, so that no server still writes to the hour's stream when its 48 hours begin to count.
  schedule_expression          = "cron(5 * * * ? *)"
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.purge.arn
    role_arn = aws_iam_role.schedule.arn

    # A run that could not be started is worth nothing once the next one is due.
    retry_policy {
      maximum_event_age_in_seconds = 3000
      maximum_retry_attempts       = 5
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}

resource "aws_iam_role" "schedule" {
  name                 = "${var.name}-purge-schedule"
  description          = "Starts the hourly purge of logs"
  assume_role_policy   = data.aws_iam_policy_document.schedule_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "schedule_trust" {
  statement {
    sid     = "SchedulerOfThisAccount"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Not on behalf of another account's schedule.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  name   = "start-the-purge"
  role   = aws_iam_role.schedule.id
  policy = data.aws_iam_policy_document.schedule.json
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "StartThePurge"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.purge_arn]
  }
}
