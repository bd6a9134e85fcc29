# What app servers install: one artifact a release, written once. Rolling back means installing an older one, so none may
# change or vanish behind the launch template version that names it.
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on an upload: the release tool does, who made it.
  #checkov:skip=CKV_AWS_144:A release can be built again from its commit.
  #checkov:skip=CKV_AWS_145:private-bucket encrypts it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_18:Changes to the bucket are in the account's trail; who read which object is not written down, which is a cost taken knowingly.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

  bucket        = var.bucket_name
  force_destroy = var.force_destroy

  # A destroy that stops at the full bucket must not have scheduled the end of the key that opens what is in it.
  depends_on = [aws_kms_key.releases]
}

module "private" {
  source = "../private-bucket"

  bucket                  = aws_s3_bucket.this
  kms_key_arn             = aws_kms_key.releases.arn
  source_policy_documents = [data.aws_iam_policy_document.written_once.json]

  # Nothing is ever overwritten or deleted here, unless somebody lifted the policy first: ninety days to notice.
  noncurrent_days = 90
}

resource "aws_kms_key" "releases" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts ${var.bucket_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "releases" {
  name          = "alias/${var.bucket_name}"
  target_key_id = aws_kms_key.releases.key_id
}
