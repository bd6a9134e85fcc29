output "trail_arn" {
  description = "ARN of the trail, for `aws cloudtrail validate-logs`."
  value       = aws_cloudtrail.this.arn
}

output "bucket" {
  description = "Name of the bucket that keeps the trail a year."
  value       = module.private.id
}

output "log_group" {
  description = "Name of the log group in which the trail can be searched."
  value       = aws_cloudwatch_log_group.this.name
}

output "topic_arn" {
  description = "ARN of the topic to which every alarm of the account goes."
  value       = aws_sns_topic.alarms.arn
}

output "alarms" {
  description = "Names of the alarms."
  value       = sort([for alarm in aws_cloudwatch_metric_alarm.watch : alarm.alarm_name])
}
