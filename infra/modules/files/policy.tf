# Without a policy, everyone who reaches a mount target may read and write. With this one nobody does so without TLS,
# past the access point, or without a role that says so.
resource "aws_efs_file_system_policy" "tls_through_the_access_point" {
  file_system_id = aws_efs_file_system.shared.id
  policy         = data.aws_iam_policy_document.tls_through_the_access_point.json
}

data "aws_iam_policy_document" "tls_through_the_access_point" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["elasticfilesystem:Client*"]
    resources = [aws_efs_file_system.shared.arn]

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

  statement {
    sid       = "OnlyThroughTheAccessPoint"
    effect    = "Deny"
    actions   = ["elasticfilesystem:Client*"]
    resources = [aws_efs_file_system.shared.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringNotEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values   = [aws_efs_access_point.servers.arn]
    }
  }

  # Roles of this account need an allow of their own; mounting from outside a mount target is no way in.
  statement {
    sid       = "ServersThroughAMountTarget"
    actions   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    resources = [aws_efs_file_system.shared.arn]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }

    condition {
      test     = "Bool"
      variable = "elasticfilesystem:AccessedViaMountTarget"
      values   = ["true"]
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
