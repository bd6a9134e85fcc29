# Who talked to whom, and who was refused: for the day when somebody asks.
resource "aws_flow_log" "vpc" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = var.flow_log.traffic
  log_destination          = var.flow_log.group_arn
  iam_role_arn             = aws_iam_role.flow_log.arn
  max_aggregation_interval = var.flow_log.interval_seconds

  tags = { Name = var.name }

  # It tries the role when it is made.
  depends_on = [aws_iam_role_policy.flow_log]
}

resource "aws_iam_role" "flow_log" {
  name                 = "${var.name}-flow-logs"
  description          = "The flow log of ${var.name} writes to its log group"
  assume_role_policy   = data.aws_iam_policy_document.flow_log_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "flow_log_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    # Not on behalf of another account's flow log.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ec2:${local.region}:${local.account}:vpc-flow-log/*"]
    }
  }
}

resource "aws_iam_role_policy" "flow_log" {
  name   = "write-flows"
  role   = aws_iam_role.flow_log.id
  policy = data.aws_iam_policy_document.flow_log.json
}

data "aws_iam_policy_document" "flow_log" {
  statement {
    sid       = "WriteFlows"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${var.flow_log.group_arn}:*"]
  }

  # Cannot be narrowed to a group.
  statement {
    sid       = "FindTheGroup"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }
}
