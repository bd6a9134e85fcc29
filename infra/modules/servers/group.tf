resource "aws_autoscaling_group" "servers" {
  name                = local.group_name
  vpc_zone_identifier = var.subnet_ids
  target_group_arns   = [var.target_group_arn]

  min_size         = var.size.min
  max_size         = var.size.max
  desired_capacity = var.size.min

  launch_template {
    id      = aws_launch_template.server.id
    version = aws_launch_template.server.latest_version
  }

  # What the load balancer cannot reach is replaced, even if the machine runs.
  health_check_type         = "ELB"
  health_check_grace_period = var.health_check_grace_seconds
  default_instance_warmup   = var.scaling.warm_up_seconds

  # The new server takes requests before the old one stops, whatever replaces it: one server is enough for zero
  # downtime.
  instance_maintenance_policy {
    min_healthy_percentage = 100
    max_healthy_percentage = 200
  }

  # A server that lives for months is one that nobody knows how to boot any more.
  max_instance_lifetime = var.max_lifetime_days * 24 * 3600

  metrics_granularity = "1Minute"
  enabled_metrics = [
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize", "GroupPendingInstances",
    "GroupTerminatingInstances", "GroupTotalInstances",
  ]

  # Releases are waited for by the release tool, which knows what a healthy release is.
  wait_for_capacity_timeout = "0"

  dynamic "tag" {
    for_each = local.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    # The version is the release tool's, the number of servers belongs to the scaling policies.
    ignore_changes = [desired_capacity, launch_template[0].version]
  }

  # A server boots with all its rights, and loses none of them while it drains.
  depends_on = [aws_iam_role_policy.server]
}
