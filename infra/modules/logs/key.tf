# One key for all of them: who may read an environment's logs is decided by IAM, group by group.
resource "aws_kms_key" "logs" {
  description             = "Encrypts the logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.
  #checkov:skip=CKV_AWS_111:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.
  #checkov:skip=CKV_AWS_356:In a key's policy * is the key itself, and the account's policies decide about it: without this the key is nobody's.

  statement {
    sid       = "AccountDecidesByIam"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }

  # CloudWatch Logs uses the key for these groups and for no other: neither another environment's nor one made by hand.
  statement {
    sid       = "OwnGroupsEncrypt"
    actions   = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = values(local.group_arns)
    }
  }
}
