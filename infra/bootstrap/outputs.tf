output "state_bucket" {
  description = "Name of the bucket that keeps every state."
  value       = aws_s3_bucket.state.id
}

output "region" {
  description = "Region in which the state bucket lies."
  value       = var.region
}
