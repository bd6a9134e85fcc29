# Every log group of an environment, in one place. They are made here and not by who writes to them: RDS, Lambda and
# the agent on a server would each make theirs unencrypted and without an end.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # What writes to a group decides about its name where AWS has rules: WAF wants its prefix, RDS and Lambda their paths.
  groups = {
    system           = { name = "/lyceum/${var.environment}/system", days = var.retention_days.logs }
    application      = { name = "/lyceum/${var.environment}/application", days = var.retention_days.logs }
    flow             = { name = "/lyceum/${var.environment}/flow", days = var.retention_days.logs }
    sessions         = { name = "/lyceum/${var.environment}/sessions", days = var.retention_days.sessions }
    waf              = { name = "aws-waf-logs-${var.name}", days = var.retention_days.logs }
    database         = { name = "/aws/rds/instance/${var.name}-database/postgresql", days = var.retention_days.logs }
    database_upgrade = { name = "/aws/rds/instance/${var.name}-database/upgrade", days = var.retention_days.logs }
    purge            = { name = "/aws/lambda/${local.purge_name}", days = var.retention_days.logs }
    canary           = { name = "/aws/lambda/${var.name}-canary", days = var.retention_days.logs }
  }

  # Purposefully not taken from the resources: the key's policy must be there before them.
  group_arns = {
    for group, told in local.groups : group => "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${told.name}"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:Two days of logs are the rule (docs/decisions/0007); who did what is in the audit trail for a year.

  for_each = local.groups

  name              = each.value.name
  retention_in_days = each.value.days
  kms_key_id        = aws_kms_key.logs.arn
}
