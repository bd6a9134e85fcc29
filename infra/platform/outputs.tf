output "environment" {
  description = "Name of the environment."
  value       = var.environment
}

output "region" {
  description = "Region of the environment."
  value       = var.region
}

output "protected" {
  description = "Whether data refuses to be destroyed. ./lyceum destroy reads it and goes no further while it is true."
  value       = var.protected
}

output "content_bucket" {
  description = "Bucket of course materials and videos; the platform's CONTENT_URL is s3://<it>."
  value       = module.content.bucket
}

output "progress_table" {
  description = "Table of course progress; the platform's PROGRESS_URL is dynamodb://<it>."
  value       = module.progress.table
}

output "database" {
  description = "Where student data lives, and the secret in which AWS keeps the master password."
  value       = module.database.endpoint
}

output "files" {
  description = "File system and access point of the files shared among students; servers mount them."
  value       = module.files.mount
}

output "network" {
  description = "VPC, subnets by tier and security groups by role."
  value = {
    vpc_id             = module.network.vpc_id
    subnet_ids         = module.network.subnet_ids
    security_group_ids = module.network.security_group_ids
  }
}

output "backup" {
  description = "Vault of the weekly recovery points, and the role that a restore job names."
  value = {
    vault    = module.backup.vault
    role_arn = module.backup.role_arn
  }
}
