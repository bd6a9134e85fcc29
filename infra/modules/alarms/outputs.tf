output "topic_arn" {
  description = "ARN of the topic to which every alarm of the environment goes."
  value       = aws_sns_topic.alarms.arn
}

output "alarms" {
  description = "Every alarm by the name of its page in docs/runbook: its name in AWS, and whether it wakes somebody or waits to be looked at."
  value = {
    for alarm, told in local.alarms : alarm => {
      name     = aws_cloudwatch_metric_alarm.this[alarm].alarm_name
      severity = told.severity
    }
  }
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
