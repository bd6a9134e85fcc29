# Where requests from the internet arrive. Learners speak TLS with it when the platform has a domain.
resource "aws_lb" "platform" {
  #checkov:skip=CKV2_AWS_28:The module waf stands before it; checkov cannot follow the ARN through modules.

  name               = var.name
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = var.security_group_ids

  idle_timeout               = var.idle_timeout
  enable_deletion_protection = var.protected

  # Two readings of one request are how requests are smuggled: headers that break the rules go no further, and what
  # is ambiguous closes its connection.
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  # It writes a test object when it is made, and refuses to be made if it may not: hence through the module that makes
  # the bucket private and opens it to the load balancer.
  access_logs {
    bucket  = module.private_access_logs.id
    enabled = true
  }
}
