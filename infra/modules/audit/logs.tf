# The recent part of the trail, where it can be searched and watched; the bucket keeps the year.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:The bucket keeps the year; the group is for searching what is recent.

  name              = local.log_group_name
  retention_in_days = var.retention_days
  kms_key_id        = aws_kms_key.audit.arn
}

resource "aws_iam_role" "delivery" {
  name               = "${var.name}-delivery"
  description        = "CloudTrail writes its events to ${local.log_group_name}"
  assume_role_policy = data.aws_iam_policy_document.delivery_trust.json
}

data "aws_iam_policy_document" "delivery_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}

resource "aws_iam_role_policy" "delivery" {
  name   = "write-events"
  role   = aws_iam_role.delivery.id
  policy = data.aws_iam_policy_document.delivery.json
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid     = "WriteEvents"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    # CloudTrail names its streams so.
    resources = ["${local.log_group_arn}:log-stream:${local.account}_CloudTrail_${local.region}*"]
  }
}
