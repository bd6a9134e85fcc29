output "groups" {
  description = "Name and ARN of each log group, by what is in it: system, application, flow, sessions, waf, database, database_upgrade, purge, canary."
  value       = { for group, made in aws_cloudwatch_log_group.this : group => { name = made.name, arn = made.arn } }
}

output "key_arn" {
  description = "ARN of the key that encrypts the logs."
  value       = aws_kms_key.logs.arn
}

output "purge_function_name" {
  description = "Name of the function that deletes what is older than two days."
  value       = aws_lambda_function.purge.function_name
}
