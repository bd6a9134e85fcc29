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

  # AWS refuses a load balancer in a VPC whose internet gateway is not attached yet.
  depends_on = [aws_internet_gateway.this]
}

output "security_group_ids" {
  description = "Security groups by role."
  value       = { for role, group in aws_security_group.role : role => group.id }
}

output "acl_rules" {
  description = "The derived network ACL rules by name, for tests and for the documents."
  value       = local.acl_rules
}

output "acl_rule_counts" {
  description = "How many of the 19 rules that AWS lets us have each tier's network ACL uses, by direction."
  value       = local.acl_rule_counts
}

output "endpoints" {
  description = "VPC endpoints by service: gateways and interfaces."
  value       = { for service, endpoint in merge(aws_vpc_endpoint.gateway, aws_vpc_endpoint.interface) : service => endpoint.id }
}

output "flow_log_role_arn" {
  description = "Role as which the flow log writes."
  value       = aws_iam_role.flow_log.arn
}
