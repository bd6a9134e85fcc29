# With a domain learners speak TLS. Without one there is no certificate to be had.
resource "aws_lb_listener" "https" {
  count = var.domain == null ? 0 : 1

  load_balancer_arn = aws_lb.platform.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate_validation.platform[0].certificate_arn

  # TLS 1.2 and 1.3, ciphers with forward secrecy and authentication only: every browser since 2014.
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.servers.arn
  }
}

# With a domain 80 answers with the way to 443. Without one it serves, and who may reach it is the security group's
# business: the operators and nobody else. One listener for both: of two on one port, the first would have to go before
# the second can come.
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.platform.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = var.domain == null ? "forward" : "redirect"
    target_group_arn = var.domain == null ? aws_lb_target_group.servers.arn : null

    dynamic "redirect" {
      for_each = var.domain == null ? [] : [1]

      content {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }

  # It leads nowhere before 443 answers.
  depends_on = [aws_lb_listener.https]
}
