# What app servers install: one artifact a release, written once. Rolling back means installing an older one, so none may
# change or vanish behind the launch template version that names it.
resource "aws_s3_bucket" "this" {
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
  description             = "Encrypts ${var.bucket_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "releases" {
  name          = "alias/${var.bucket_name}"
  target_key_id = aws_kms_key.releases.key_id
}
