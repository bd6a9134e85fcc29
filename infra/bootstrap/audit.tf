# A trail belongs to an account, not to an environment: what every environment's roles do is written down here.
module "audit" {
  source = "../modules/audit"

  alarm_email    = var.alarm_email
  retention_days = var.audit_retention_days

  # Who applies the infrastructure: an operator who became the deployer, and the pipeline's stage. An administrator's
  # bootstrap rings, and is meant to.
  deployers = [
    for role in ["lyceum-deployer", "lyceum-pipeline-apply"] : "arn:${local.partition}:sts::${local.account}:assumed-role/${role}/*"
  ]

  # By name, not by reference: these roles include those that do not exist yet.
  watched_roles = concat(
    ["arn:${local.partition}:iam::${local.account}:role/lyceum-deployer"],
    local.environment_roles,
  )
}
