# Who did what in the account: one trail of every region's management events, kept a year in a bucket, searchable in a
# log group, and watched there for what the CIS benchmark says should ring.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Purposefully not taken from the resources: the policies that name these must be there before them.
  trail_arn     = "arn:${local.partition}:cloudtrail:${local.region}:${local.account}:trail/${var.name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_group_name}"

  log_group_name   = "/${replace(var.name, "-", "/")}"
  metric_namespace = "Lyceum/Audit"
}
