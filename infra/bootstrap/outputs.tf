output "state_bucket" {
  description = "Name of the bucket that keeps every state."
  value       = aws_s3_bucket.state.id
}

output "region" {
  description = "Region in which the state bucket lies."
  value       = var.region
}

output "deployer_user" {
  description = "Name of the IAM user that may become the deployer. Make its access key by hand."
  value       = aws_iam_user.deployer.name
}

output "deployer_role_arn" {
  description = "Role as which infra/platform is applied."
  value       = aws_iam_role.deployer.arn
}

output "boundary_arn" {
  description = "Permissions boundary that every role made by the deployer must carry."
  value       = aws_iam_policy.boundary.arn
}

output "audit_bucket" {
  description = "Name of the bucket that keeps the audit trail a year."
  value       = module.audit.bucket
}

output "audit_alarms" {
  description = "Names of the alarms on the audit trail."
  value       = module.audit.alarms
}

output "pipeline" {
  description = "The pipeline, where there is one: its name, and the connection to GitHub that a person completes."
  value       = one([for pipeline in module.pipeline : { name = pipeline.name, connection_arn = pipeline.connection_arn }])
}
