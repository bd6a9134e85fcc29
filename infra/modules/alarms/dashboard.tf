# The table once more, to look at: a picture an alarm, its threshold in it, in the rows of a request's way. Widgets
# carry no coordinates: CloudWatch puts one after the other, and a heading takes a whole line.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-overview"

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type   = "alarm"
        width  = 24
        height = 3
        properties = {
          title  = "What rings"
          alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn]
        }
      }],
      flatten([for row in local.rows : concat([local.headings[row]], [for alarm, told in local.alarms : local.pictures[alarm] if told.row == row])]),
    )
  })
}

locals {
  rows = ["objectives", "requests", "servers", "database", "stores", "upkeep"]

  headings = {
    for row in local.rows : row => {
      type       = "text"
      width      = 24
      height     = 1
      properties = { markdown = "## ${title(row)}" }
    }
  }

  pictures = {
    for alarm, told in local.alarms : alarm => {
      type   = "metric"
      width  = 6
      height = 6
      properties = {
        title  = "${alarm} (${told.severity})"
        region = local.region
        view   = "timeSeries"
        period = told.period
        metrics = concat(
          [
            for id, metric in told.metrics : concat(
              [metric.namespace, metric.name],
              flatten([for name, value in metric.dimensions : [name, value]]),
              [{ id = id, stat = metric.stat, visible = told.expression == null }],
            )
          ],
          told.expression == null ? [] : [[{ id = "watched", expression = told.expression, label = alarm }]],
        )
        annotations = { horizontal = [{ label = "rings ${told.rings}", value = told.threshold }] }
        yAxis       = { left = { min = 0 } }
      }
    }
  }
}
