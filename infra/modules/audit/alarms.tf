resource "aws_cloudwatch_metric_alarm" "watch" {
  for_each = local.watches

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.meaning} See docs/runbook/${each.key}.md."

  namespace           = local.metric_namespace
  metric_name         = aws_cloudwatch_log_metric_filter.watch[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  # Once is enough, as the benchmark wants it.
  threshold          = 1
  treat_missing_data = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
}
