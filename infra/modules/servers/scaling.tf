# Target tracking: scales out when any policy asks for it, in only when all agree. src/lyceum_lab/scaling tries these
# very policies against load curves.
resource "aws_autoscaling_policy" "cpu" {
  name                   = "${var.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.servers.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scaling.cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Memory that requests take, not memory in use: an idle server of 1 GiB already uses about half of it, and a second
# server does not halve that half. Tracking plain memory, two servers would have to fall below half the target together
# before one goes, which idle ones never do.
resource "aws_autoscaling_policy" "memory" {
  name                   = "${var.name}-memory-above-idle"
  autoscaling_group_name = aws_autoscaling_group.servers.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scaling.memory_percent_above_idle

    customized_metric_specification {
      metrics {
        id          = "memory"
        label       = "Mean memory in use, percent"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = local.metrics_namespace
            metric_name = "mem_used_percent"

            dimensions {
              name  = "AutoScalingGroupName"
              value = local.group_name
            }
          }
        }
      }

      metrics {
        id          = "above_idle"
        label       = "Mean memory above that of an idle server, points"
        expression  = local.memory_above_idle
        return_data = true
      }
    }
  }
}

# Keeps the second server until one alone would do with room to spare. The two policies above let it go as soon as one
# server would be at its target, where a load that stays about there would call it back minutes later, all day long.
# It never asks for a server: what it tracks never exceeds its target.
resource "aws_autoscaling_policy" "hold" {
  name                   = "${var.name}-hold"
  autoscaling_group_name = aws_autoscaling_group.servers.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scaling.hold_percent_of_target

    customized_metric_specification {
      metrics {
        id          = "cpu"
        label       = "Mean CPU, percent"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/EC2"
            metric_name = "CPUUtilization"

            dimensions {
              name  = "AutoScalingGroupName"
              value = local.group_name
            }
          }
        }
      }

      metrics {
        id          = "memory"
        label       = "Mean memory in use, percent"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = local.metrics_namespace
            metric_name = "mem_used_percent"

            dimensions {
              name  = "AutoScalingGroupName"
              value = local.group_name
            }
          }
        }
      }

      metrics {
        id          = "servers"
        label       = "Servers in service"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/AutoScaling"
            metric_name = "GroupInServiceInstances"

            dimensions {
              name  = "AutoScalingGroupName"
              value = local.group_name
            }
          }
        }
      }

      metrics {
        id          = "of_cpu"
        label       = "CPU, percent of its target"
        expression  = "100 * cpu / ${var.scaling.cpu_percent}"
        return_data = false
      }

      metrics {
        id          = "of_memory"
        label       = "Memory above idle, percent of its target"
        expression  = "100 * (${local.memory_above_idle}) / ${var.scaling.memory_percent_above_idle}"
        return_data = false
      }

      metrics {
        id          = "of_either"
        label       = "The greater of the two"
        expression  = "IF(of_cpu > of_memory, of_cpu, of_memory)"
        return_data = false
      }

      metrics {
        id          = "load"
        label       = "That, of two servers or more, up to the target"
        expression  = "IF(servers > 1, IF(of_either > ${var.scaling.hold_percent_of_target}, ${var.scaling.hold_percent_of_target}, of_either), 0)"
        return_data = true
      }
    }
  }
}

locals {
  # Never below zero: an idle server that happens to use less is no negative load.
  memory_above_idle = "IF(memory > ${var.scaling.memory_idle_percent}, memory - ${var.scaling.memory_idle_percent}, 0)"
}
