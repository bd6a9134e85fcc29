# A trail belongs to an account, not to an environment: what every environment's roles do is written down here.
module "audit" {
  source = "../modules/audit"

  alarm_email    = var.alarm_email
  retention_days = var.audit_retention_days

  # By name, not by reference: these roles include those that do not exist yet.
  watched_roles = concat(
    ["arn:${local.partition}:iam::${local.account}:role/lyceum-deployer"],
    local.environment_roles,
  )
}
