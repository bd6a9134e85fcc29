# Encrypts the servers' volumes. Auto Scaling starts servers in its own name, so the key must admit it.
resource "aws_kms_key" "volumes" {
  description             = "Encrypts the volumes of ${var.name}'s servers"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.volumes.json
}

resource "aws_kms_alias" "volumes" {
  name          = "alias/${var.name}-volumes"
  target_key_id = aws_kms_key.volumes.key_id
}

data "aws_iam_policy_document" "volumes" {
  #checkov:skip=CKV_AWS_109:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.
  #checkov:skip=CKV_AWS_111:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.
  #checkov:skip=CKV_AWS_356:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.

  statement {
    sid       = "PoliciesOfThisAccountDecide"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # Named by condition: AWS makes this role the first time that a group is made, and a policy must not name a principal
  # that does not exist yet.
  statement {
    sid       = "VolumesOfServers"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [local.auto_scaling_role]
    }
  }

  statement {
    sid       = "GrantsForVolumesOfServers"
    actions   = ["kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [local.auto_scaling_role]
    }

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

locals {
  auto_scaling_role = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
}
