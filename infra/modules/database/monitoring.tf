# Enhanced monitoring: what the operating system under the database does, every minute. RDS writes it into the group
# RDSOSMetrics, which it makes itself, one for the account, with a retention of 30 days.
resource "aws_iam_role" "monitoring" {
  name                 = "${var.name}-database-monitoring"
  description          = "RDS writes the operating system metrics of ${var.name}-database"
  assume_role_policy   = data.aws_iam_policy_document.monitoring_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    sid     = "RdsOfThisInstance"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }

    # By name: the instance does not exist before the role does.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:rds:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:db:${var.name}-database"]
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}
