output "environment" {
  description = "Name of the environment."
  value       = var.environment
}

output "region" {
  description = "Region of the environment."
  value       = var.region
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

output "protected" {
  description = "Whether data refuses to be destroyed; ./lyceum destroy asks this before anything else."
  value       = var.protected
}

output "url" {
  description = "Where learners reach the platform."
  value       = module.load_balancer.url
}

output "load_balancer" {
  description = "The load balancer's name in the DNS, and the target group of the servers."
  value = {
    dns_name         = module.load_balancer.dns_name
    target_group_arn = module.load_balancer.target_group_arn
  }
}

output "servers" {
  description = "The auto scaling group and the launch template, on which releases are made."
  value = {
    group_name         = module.servers.group_name
    launch_template_id = module.servers.launch_template_id
    role_arn           = module.servers.role_arn
  }
}

output "releases_bucket" {
  description = "Bucket of the release artifacts."
  value       = module.releases.bucket
}

output "secrets" {
  description = "ARN of each secret that Terraform made, by name."
  value       = module.secrets.arns
}

output "bastion" {
  description = "The bastion's instance and the Session Manager document with which an operator reaches the database."
  value = {
    instance_id      = module.bastion.instance_id
    session_document = module.bastion.session_document
  }
}

output "log_groups" {
  description = "Names of the log groups, by what they hold."
  value       = { for what, group in module.logs.groups : what => group.name }
}

output "alarms" {
  description = "Names of the alarms, and the topic to which they go."
  value = {
    names     = module.alarms.alarms
    topic_arn = module.alarms.topic_arn
  }
}
