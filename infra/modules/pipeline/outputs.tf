output "name" {
  description = "Name of the pipeline."
  value       = aws_codepipeline.this.name
}

output "connection_arn" {
  description = "ARN of the connection to GitHub. A person completes it in the console, once."
  value       = aws_codeconnections_connection.github.arn
}

output "topic_arn" {
  description = "ARN of the topic to which failures and what waits for approval go."
  value       = aws_sns_topic.pipeline.arn
}

output "role_arns" {
  description = "ARN of each role, by what it is for: the projects, the check, the pipeline itself."
  value = merge(
    { for project, role in aws_iam_role.project : project => role.arn },
    { check = aws_iam_role.check.arn, pipeline = aws_iam_role.pipeline.arn },
  )
}
