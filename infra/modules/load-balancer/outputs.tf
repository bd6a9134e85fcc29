output "arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.platform.arn
}

output "arn_suffix" {
  description = "What CloudWatch calls the load balancer."
  value       = aws_lb.platform.arn_suffix
}

output "target_group_arn" {
  description = "ARN of the target group, for the auto scaling group."
  value       = aws_lb_target_group.servers.arn

  # A group that no listener knows is never checked, and its servers would never become healthy.
  depends_on = [aws_lb_listener.https, aws_lb_listener.http]
}

output "target_group_arn_suffix" {
  description = "What CloudWatch calls the target group."
  value       = aws_lb_target_group.servers.arn_suffix
}

output "dns_name" {
  description = "AWS's name for the load balancer."
  value       = aws_lb.platform.dns_name
}

output "url" {
  description = "Where the platform is met."
  value       = var.domain == null ? "http://${aws_lb.platform.dns_name}" : "https://${var.domain.name}"
}

output "certificate_arn" {
  description = "ARN of the certificate; null without a domain."
  value       = one(aws_acm_certificate_validation.platform[*].certificate_arn)
}

output "log_bucket" {
  description = "Bucket of the access log."
  value       = aws_s3_bucket.access_logs.id
}
