# Course materials and videos. Browsers fetch them from the bucket itself by presigned URLs; nothing is public.
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on an upload: the platform asks S3 whether it arrived.
  #checkov:skip=CKV_AWS_144:One region holds everything: a second one is a decision of its own, and weekly copies cover loss by mistake.
  #checkov:skip=CKV_AWS_145:private-bucket encrypts it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_18:Changes to the bucket are in the account's trail; who read which object is not written down, which is a cost taken knowingly.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

  bucket        = var.bucket_name
  force_destroy = var.force_destroy

  # A destroy that stops at the full bucket must not have scheduled the end of the key that opens what is in it.
  depends_on = [aws_kms_key.content]
}

module "private" {
  source = "../private-bucket"

  bucket      = aws_s3_bucket.this
  kms_key_arn = aws_kms_key.content.arn

  # As long as the weekly backups are kept.
  noncurrent_days   = 28
  abort_upload_days = 2
}

resource "aws_kms_key" "content" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts ${var.bucket_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "content" {
  name          = "alias/${var.bucket_name}"
  target_key_id = aws_kms_key.content.key_id
}

# A presigned URL is a permission for whoever holds it; this decides whose pages a browser lets use it.
resource "aws_s3_bucket_cors_configuration" "platform" {
  count = length(var.origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_origins = var.origins
    allowed_methods = ["GET", "HEAD", "PUT"]
    allowed_headers = ["content-type", "content-md5", "range", "x-amz-*"]
    # An upload in parts is completed with the tags of its parts. Whether they arrived whole is asked of S3, by a
    # checksum that it holds them against (x-amz-checksum-*): under a KMS key a tag is no checksum.
    expose_headers  = ["Content-Range", "ETag"]
    max_age_seconds = 3600
  }
}
