output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "tier_cidrs" {
  description = "The block of each tier."
  value       = local.tier_cidrs
}

output "subnet_ids" {
  description = "Subnets by tier, one a zone."
  value       = { for tier in local.tiers : tier => [for key, subnet in local.subnets : aws_subnet.tier[key].id if subnet.tier == tier] }
}

output "security_group_ids" {
  description = "Security groups by role."
  value       = { for role, group in aws_security_group.role : role => group.id }
}

output "acl_rules" {
  description = "The derived network ACL rules by name, for tests and for the documents."
  value       = merge(local.acl_rules, local.acl_denies)
}
