output "id" {
  description = "Id of the schedule, once it starts the function."
  value       = aws_scheduler_schedule.this.id
}

output "when" {
  description = "When it starts the function, and how often it tries again."
  value = {
    expression = aws_scheduler_schedule.this.schedule_expression
    again      = one(one(aws_scheduler_schedule.this.target).retry_policy).maximum_retry_attempts
    seconds    = one(one(aws_scheduler_schedule.this.target).retry_policy).maximum_event_age_in_seconds
  }
}

output "role" {
  description = "The role that starts it: its name, and its boundary."
  value       = { name = aws_iam_role.schedule.name, boundary = aws_iam_role.schedule.permissions_boundary }
}
