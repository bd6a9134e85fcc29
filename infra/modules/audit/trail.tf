resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_252:Alarms on the log group tell the topic; a letter for every delivered file would hide them.

  name = var.name

  # Whoever holds a stolen key works in the region that nobody looks at.
  is_multi_region_trail         = true
  include_global_service_events = true

  # Signed digests: a file that was altered or taken away shows (`aws cloudtrail validate-logs`).
  enable_log_file_validation = true

  s3_bucket_name             = module.private.id
  kms_key_id                 = aws_kms_key.audit.arn
  cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.this.arn}:*"
  cloud_watch_logs_role_arn  = aws_iam_role.delivery.arn

  # CloudTrail tries out bucket and log group when it is made, and refuses to be made if it may not write. The bucket's
  # name is known once its policy is applied.
  depends_on = [aws_iam_role_policy.delivery]
}
