# A pipeline that stopped is told to somebody; so is what waits for approval (pipeline.tf).
resource "aws_sns_topic" "pipeline" {
  name              = var.name
  kms_master_key_id = aws_kms_key.pipeline.arn
}

# AWS sends a letter with a link first: nothing arrives before somebody has followed it.
resource "aws_sns_topic_subscription" "operator" {
  topic_arn = aws_sns_topic.pipeline.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_event_rule" "failed" {
  name        = "${var.name}-failed"
  description = "A run of the pipeline failed, or was stopped"

  event_pattern = jsonencode({
    source        = ["aws.codepipeline"]
    "detail-type" = ["CodePipeline Pipeline Execution State Change"]
    detail        = { pipeline = [var.name], state = ["FAILED", "STOPPED"] }
  })
}

resource "aws_cloudwatch_event_target" "letter" {
  rule      = aws_cloudwatch_event_rule.failed.name
  target_id = "letter"
  arn       = aws_sns_topic.pipeline.arn

  input_transformer {
    input_paths = {
      pipeline = "$.detail.pipeline"
      run      = "$.detail.execution-id"
      state    = "$.detail.state"
    }

    input_template = "\"<pipeline>: run <run> is <state>. What to do: docs/how-to/run-the-pipeline.md.\""
  }
}

resource "aws_sns_topic_policy" "pipeline" {
  arn    = aws_sns_topic.pipeline.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "FailuresAreTold"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.pipeline.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-failed"]
    }
  }

  # The pipeline asks for an approval under its own role.
  statement {
    sid       = "ApprovalsAreAskedFor"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.pipeline.arn]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.pipeline.arn]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.pipeline.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
