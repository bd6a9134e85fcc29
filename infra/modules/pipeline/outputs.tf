output "name" {
  description = "Name of the pipeline."
  value       = aws_codepipeline.this.name
}

output "connection_arn" {
  description = "ARN of the connection to GitHub. A person completes it in the console, once."
  value       = aws_codeconnections_connection.github.arn
}
