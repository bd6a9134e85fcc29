# What stages hand on: the source's reference, plans, the release's archive. A plan may hold what its environment keeps
# secret, so each is encrypted, read by the stages that need it, and gone after a month.
resource "aws_s3_bucket" "artifacts" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on what is written here but the pipeline, which wrote it.
  #checkov:skip=CKV_AWS_144:Everything in it can be made again from its commit.
  #checkov:skip=CKV_AWS_145:private-bucket encrypts it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_18:Changes to the bucket are in the account's trail; who read which object is not written down, which is a cost taken knowingly.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

  bucket = local.bucket_name

  # Nothing in it is the only one of its kind.
  force_destroy = true

  depends_on = [aws_kms_key.pipeline]
}

module "private" {
  source = "../private-bucket"

  bucket      = aws_s3_bucket.artifacts
  kms_key_arn = aws_kms_key.pipeline.arn

  expiration_days = 30
  noncurrent_days = 1
}

resource "aws_kms_key" "pipeline" {
  description             = "Encrypts what the pipeline hands on, its logs and its letters"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "pipeline" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.pipeline.key_id
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

  statement {
    sid       = "BuildsLog"
    actions   = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/lyceum/pipeline/*"]
    }
  }

  # A letter about a failure that may not use the topic's key is lost in silence.
  statement {
    sid       = "FailuresAreTold"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}
