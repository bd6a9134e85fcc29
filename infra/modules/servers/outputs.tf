output "group_name" {
  description = "Name of the Auto Scaling group."
  value       = aws_autoscaling_group.servers.name
}

output "launch_template_id" {
  description = "Id of the launch template of which a release is a version."
  value       = aws_launch_template.server.id
}

output "role_arn" {
  description = "ARN of the servers' role."
  value       = aws_iam_role.server.arn
}

output "role_name" {
  description = "Name of the servers' role."
  value       = aws_iam_role.server.name
}

output "metrics_namespace" {
  description = "Namespace in which the servers may report metrics, and in which the scaling policies read their memory."
  value       = local.metrics_namespace
}
