# Who asked for what, and what was answered: one line a request, written by the load balancer every five minutes.
resource "aws_s3_bucket" "access_logs" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on what is written here.
  #checkov:skip=CKV_AWS_144:Lines that end after days are not worth a second region.
  #checkov:skip=CKV_AWS_145:Load balancers write only into buckets that are encrypted by S3's own key.
  #checkov:skip=CKV_AWS_18:It is itself a log.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

  bucket        = "${var.name}-access-logs-${local.account}"
  force_destroy = !var.protected
}

module "private_access_logs" {
  source = "../private-bucket"

  bucket                  = aws_s3_bucket.access_logs
  source_policy_documents = [data.aws_iam_policy_document.access_logs.json]

  # The lines hold learners' addresses: kept as long as an incident may need them, and gone the day after.
  expiration_days   = var.log_retention_days
  noncurrent_days   = 1
  abort_upload_days = 2
}

data "aws_iam_policy_document" "access_logs" {
  # The service writes under the account of the load balancer's owner: with the account in the path, no load balancer of
  # another account can write here.
  statement {
    sid       = "LoadBalancerWrites"
    actions   = ["s3:PutObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${aws_s3_bucket.access_logs.bucket}/AWSLogs/${local.account}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
}
