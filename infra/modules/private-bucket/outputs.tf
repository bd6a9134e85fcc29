output "id" {
  description = "Name of the bucket. Whoever uses it waits until the bucket is private and its policy applied."
  value       = var.bucket.id

  depends_on = [
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "promises" {
  description = "What was made of the bucket, read off the resources: its key, its days, its policies besides TLS only. Tests of callers look here."
  value = {
    noncurrent_days   = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days
    abort_upload_days = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].abort_incomplete_multipart_upload).days_after_initiation

    # What was not given the provider knows only after an apply, and then spells in another way.
    kms_key_arn      = var.kms_key_arn == null ? null : one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id
    expiration_days  = var.expiration_days == null ? null : one(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration).days
    policy_documents = length(var.source_policy_documents) == 0 ? [] : data.aws_iam_policy_document.this.source_policy_documents
  }
}
