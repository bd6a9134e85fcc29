# What a server may do: what the platform on it does, on the platform's own resources.
resource "aws_iam_role" "server" {
  name                 = "${var.name}-server"
  description          = "The servers of ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.server_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_instance_profile" "server" {
  name = "${var.name}-server"
  role = aws_iam_role.server.name
}

resource "aws_iam_role_policy" "server" {
  name   = "platform"
  role   = aws_iam_role.server.id
  policy = data.aws_iam_policy_document.server.json
}

data "aws_iam_policy_document" "server_trust" {
  statement {
    sid     = "Servers"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "server" {
  #checkov:skip=CKV_AWS_111:What stands on * knows no resource, or an instance whose id is not known before it starts.
  #checkov:skip=CKV_AWS_356:What stands on * knows no resource, or an instance whose id is not known before it starts.

  # Materials and videos: the platform signs addresses for browsers, and may sign what it may do itself.
  statement {
    sid       = "Content"
    actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${var.access.content_bucket_arn}/*"]
  }

  # Without it S3 answers 403 instead of 404 to a key that is not there.
  statement {
    sid       = "ListContent"
    actions   = ["s3:ListBucket"]
    resources = [var.access.content_bucket_arn]
  }

  statement {
    sid       = "Releases"
    actions   = ["s3:GetObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${var.release_bucket}/*"]
  }

  # Items, never the table; and of items what the platform asks for: it adds to them, and removes none.
  statement {
    sid       = "Progress"
    actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    resources = [var.access.progress_table_arn]
  }

  statement {
    sid       = "OwnSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = var.access.secret_arns
  }

  # Keys open through the service that keeps the data, and not by themselves.
  dynamic "statement" {
    for_each = { for service, arns in var.access.key_arns : service => arns if length(arns) > 0 }

    content {
      sid       = "KeysOf${title(statement.key)}"
      actions   = local.key_uses[statement.key]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["${statement.key}.${data.aws_region.current.name}.amazonaws.com"]
      }
    }
  }

  statement {
    sid       = "SharedFiles"
    actions   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    resources = [var.access.file_system_arn]

    condition {
      test     = "StringEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values   = [var.access.access_point_arn]
    }
  }

  # Streams in groups that exist: a server makes no group and sets no retention.
  statement {
    sid       = "OwnLogs"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [for arn in var.access.log_group_arns : "${trimsuffix(arn, ":*")}:*"]
  }

  statement {
    sid       = "OwnMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.metrics_namespace]
    }
  }

  # Session Manager and nothing else of AmazonSSMManagedInstanceCore: no parameters, no documents, no inventory. The
  # channels know no resource.
  statement {
    sid = "SessionManager"
    actions = [
      "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.access.mail == null ? [] : [var.access.mail]

    content {
      sid       = "Mail"
      actions   = ["ses:SendEmail", "ses:SendRawEmail"]
      resources = compact([statement.value.identity_arn, statement.value.configuration_set_arn])

      condition {
        test     = "StringEquals"
        variable = "ses:FromAddress"
        values   = [statement.value.from_address]
      }
    }
  }
}

locals {
  # What each service asks of its key in the name of whoever reads and writes there.
  key_uses = {
    dynamodb       = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    s3             = ["kms:Decrypt", "kms:GenerateDataKey"]
    secretsmanager = ["kms:Decrypt"]
  }
}
