# What rings for an environment, and the dashboard on which to look then. Both are derived from one table (table.tf).
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  comparisons = {
    ">=" = "GreaterThanOrEqualToThreshold"
    "<=" = "LessThanOrEqualToThreshold"
    "<"  = "LessThanThreshold"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.severity}: ${each.value.meaning} See docs/runbook/${each.key}.md."

  # Of a single metric CloudWatch wants its fields, of an expression the queries below: never both.
  namespace   = each.value.expression == null ? values(each.value.metrics)[0].namespace : null
  metric_name = each.value.expression == null ? values(each.value.metrics)[0].name : null
  dimensions  = each.value.expression == null ? values(each.value.metrics)[0].dimensions : null
  period      = each.value.expression == null ? each.value.period : null
  statistic   = each.value.expression == null ? values(each.value.metrics)[0].stat : null

  dynamic "metric_query" {
    for_each = each.value.expression == null ? {} : each.value.metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value.expression]

    content {
      id          = "watched"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }

  comparison_operator = local.comparisons[each.value.rings]
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = each.value.missing

  # What only a release looks at would tell people of every bad minute.
  alarm_actions = each.value.severity == "release" ? [] : [aws_sns_topic.alarms.arn]
  # Whoever was woken wants to hear that it is over.
  ok_actions = each.value.severity == "wake" ? [aws_sns_topic.alarms.arn] : []

  # An alarm that rings before its topic may carry it rings unheard.
  depends_on = [aws_sns_topic_policy.alarms]

  # Whoever changes a promise is told the number that follows.
  lifecycle {
    precondition {
      condition     = !contains(keys(local.burning), each.key) || try(abs((each.key == "pages-fast-burn" ? each.value.datapoints : each.value.threshold) - local.burning[each.key]) < 0.001, false)
      error_message = "${each.key} must follow from the objectives: ${try(local.burning[each.key], "")}; table.tf says otherwise."
    }

    precondition {
      condition     = each.key != "pages-fast-burn" || each.value.periods == 2 * each.value.datapoints
      error_message = "pages-fast-burn must look at twice as many minutes as may fail."
    }
  }
}

# The platform writes one JSON object a line. No default value: silence is good news, and costs nothing.
resource "aws_cloudwatch_log_metric_filter" "application_errors" {
  name           = "${var.name}-application-errors"
  log_group_name = var.application_log_group
  pattern        = "{ ($.level = \"ERROR\") || ($.level = \"CRITICAL\") }"

  metric_transformation {
    name      = "application-errors"
    namespace = var.metrics_namespace
    value     = "1"
  }
}
