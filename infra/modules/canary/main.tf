# Asks the platform for a page every minute, from where learners are (functions/canary says how): what the first of the
# service level objectives is measured by.
locals {
  function_name = "${var.name}-canary"
}

resource "aws_lambda_function" "canary" {
  #checkov:skip=CKV_AWS_115:Started once a minute by one schedule; a young account has no concurrency to reserve.
  #checkov:skip=CKV_AWS_116:The next minute asks anew; an alarm tells of runs that fail or do not come.
  #checkov:skip=CKV_AWS_117:It has to stand outside: in the VPC it would come from behind the load balancer, as no learner does.
  #checkov:skip=CKV_AWS_173:Its settings are a public address and the name of a namespace, no secret; AWS encrypts them.
  #checkov:skip=CKV_AWS_272:Its code is this repository's, built before each plan; who may write it may write the signing too.
  #checkov:skip=CKV_AWS_50:One request and one call: its log tells as much.

  function_name = local.function_name
  description   = "Asks for the platform's first page from outside"
  role          = aws_iam_role.canary.arn

  filename         = var.canary_zip
  source_code_hash = filebase64sha256(var.canary_zip)
  handler          = "canary.handler"
  runtime          = "python3.13"
  architectures    = ["arm64"]
  memory_size      = 128
  # It gives up on a page after ten seconds, and on CloudWatch after three times five.
  timeout = 30

  environment {
    variables = {
      CANARY_URL       = var.url
      CANARY_NAMESPACE = var.metrics_namespace
    }
  }

  # Lambda would make the group itself, without a key and without an end.
  logging_config {
    log_format = "Text"
    log_group  = var.log_group.name
  }

  # Its first run must already be allowed.
  depends_on = [aws_iam_role_policy.canary]
}

module "schedule" {
  source = "../schedule"

  function_name = local.function_name
  function_arn  = aws_lambda_function.canary.arn
  role_name     = "${var.name}-canary-schedule"
  description   = "Every minute: is a page answered?"
  expression    = "rate(1 minute)"
  # A minute that was not asked in is not made up for in the next: it would count twice there.
  tries = { again = 0, seconds = 60 }

  permissions_boundary_arn = var.permissions_boundary_arn
}

resource "aws_iam_role" "canary" {
  name                 = local.function_name
  description          = "Tells whether a page came"
  assume_role_policy   = data.aws_iam_policy_document.canary_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "canary_trust" {
  statement {
    sid     = "Lambda"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "canary" {
  name   = "canary"
  role   = aws_iam_role.canary.id
  policy = data.aws_iam_policy_document.canary.json
}

# It reads nothing of AWS's, no secret and no metric: what it asks for is open to everybody.
data "aws_iam_policy_document" "canary" {
  # PutMetricData knows no resource.
  statement {
    sid       = "TellWhetherAPageCame"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metrics_namespace]
    }
  }

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${trimsuffix(var.log_group.arn, ":*")}:log-stream:*"]
  }
}
