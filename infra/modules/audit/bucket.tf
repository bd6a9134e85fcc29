resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on what is written here.
  #checkov:skip=CKV_AWS_144:One region holds everything: a second one is a decision of its own.
  #checkov:skip=CKV_AWS_145:private-bucket encrypts it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_18:Changes to the bucket are in the account's trail; who read which object is not written down, which is a cost taken knowingly.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

  bucket = "${var.name}-${local.account}"

  # Never with what is in it: whoever would destroy the trail has to empty its bucket first.
  force_destroy = false

  # A destroy that stops at the full bucket must not have scheduled the end of the key that opens what is in it.
  depends_on = [aws_kms_key.audit]
}

module "private" {
  source = "../private-bucket"

  bucket                  = aws_s3_bucket.this
  kms_key_arn             = aws_kms_key.audit.arn
  source_policy_documents = [data.aws_iam_policy_document.bucket.json]

  expiration_days = 365
  # What was deleted before its time can still be had back for a month.
  noncurrent_days = 30
}

locals {
  # By way of a local: a document that names a resource with pending changes directly is read only during the apply, and
  # the plan then says "(known after apply)" of the whole policy, whatever it is that changes on the bucket.
  bucket_arn = aws_s3_bucket.this.arn
}

data "aws_iam_policy_document" "bucket" {
  # aws:SourceArn in both: otherwise a trail of any account could write here through the same service.
  statement {
    sid       = "TrailLooksAtTheBucket"
    actions   = ["s3:GetBucketAcl"]
    resources = [local.bucket_arn]

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
    sid       = "TrailWrites"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/AWSLogs/${local.account}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }
  }
}
