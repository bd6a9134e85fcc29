output "bucket" {
  description = "Name of the bucket, known once nothing in it can be overwritten any more."
  value       = module.private.id
}

output "bucket_arn" {
  description = "ARN of the bucket, for policies."
  value       = aws_s3_bucket.this.arn
}

output "key_arn" {
  description = "ARN of the key that encrypts it. Servers need kms:Decrypt, who publishes kms:GenerateDataKey (and kms:Decrypt for an upload in parts)."
  value       = aws_kms_key.releases.arn
}
