resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = var.bucket.id

  rule {
    id     = "end-what-is-over"
    status = "Enabled"

    filter {}

    # A deletion leaves a marker. Once the versions below it are gone it marks nothing, and every listing still steps
    # over it. With days given, S3 takes such markers away by itself, and refuses to be told so.
    expiration {
      days                         = var.expiration_days
      expired_object_delete_marker = var.expiration_days == null ? true : null
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    # Parts of an upload that was never finished are in no listing, and are paid for.
    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_upload_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
