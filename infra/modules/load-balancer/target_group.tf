# The servers behind it; the auto scaling group signs them in and out.
resource "aws_lb_target_group" "servers" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; between it and the servers lie two of our subnets and two security groups.

  # Another port is another group, which a listener must know before the old one goes: the port is in the name, so that
  # both can stand side by side.
  name        = "${var.name}-servers-${var.server_port}"
  vpc_id      = var.vpc_id
  target_type = "instance"
  port        = var.server_port
  protocol    = "HTTP"

  # How long requests under way may take after their server was signed out. A release waits this long for each server.
  deregistration_delay = var.deregistration_delay

  health_check {
    path                = var.health_check.path
    matcher             = "200"
    interval            = var.health_check.interval
    timeout             = var.health_check.timeout
    healthy_threshold   = var.health_check.healthy
    unhealthy_threshold = var.health_check.unhealthy
  }

  # Sessions are kept in the database: any server answers anybody.
  stickiness {
    type    = "lb_cookie"
    enabled = false
  }

  lifecycle {
    create_before_destroy = true
  }
}
