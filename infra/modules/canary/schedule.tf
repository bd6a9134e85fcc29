resource "aws_scheduler_schedule" "canary" {
  #checkov:skip=CKV_AWS_297:It carries no input; AWS encrypts what there is.

  name        = local.function_name
  description = "Every minute: is a page answered?"

  schedule_expression = "rate(1 minute)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.canary.arn
    role_arn = aws_iam_role.schedule.arn

    # A minute that was not asked in is not made up for in the next: it would count twice there.
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}

resource "aws_iam_role" "schedule" {
  name                 = "${var.name}-canary-schedule"
  description          = "Starts the canary every minute"
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
  name   = "start-the-canary"
  role   = aws_iam_role.schedule.id
  policy = data.aws_iam_policy_document.schedule.json
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "StartTheCanary"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.function_arn]
  }
}
