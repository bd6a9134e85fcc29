# One key for the trail's files, its log group and its topic: whoever may read one of them may read the others.
resource "aws_kms_key" "audit" {
  description             = "Encrypts the account's audit trail"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "audit" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.audit.key_id
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

  # Who is watched must not be able to blind the watcher. The deployer keeps every key of the project, found by its
  # tag, and this one carries that tag too.
  dynamic "statement" {
    for_each = length(var.watched_roles) > 0 ? [1] : []

    content {
      sid    = "WatchedRolesKeepOff"
      effect = "Deny"
      actions = [
        "kms:CreateGrant", "kms:Decrypt", "kms:Disable*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:PutKeyPolicy",
        "kms:ReEncrypt*", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:Update*",
      ]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = ["*"]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:PrincipalArn"
        values   = var.watched_roles
      }
    }
  }

  statement {
    sid       = "TrailEncrypts"
    actions   = ["kms:DescribeKey", "kms:GenerateDataKey*"]
    resources = ["*"]

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

  statement {
    sid       = "LogGroupEncrypts"
    actions   = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = [local.log_group_arn]
    }
  }

  # An alarm that may not use the topic's key fails in silence.
  statement {
    sid       = "AlarmsPublish"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}
