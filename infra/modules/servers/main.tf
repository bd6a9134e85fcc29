# The servers: a template of one server, and the group that keeps one or two of them.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Known before the group exists: the agent on a server reports under it, and the scaling policies read it there.
  group_name = "${var.name}-servers"

  metrics_namespace = "Lyceum/${var.environment}"

  # Neither a group nor what it launches gets the provider's default tags.
  tags = {
    Name        = "${var.name}-server"
    Project     = "lyceum"
    Environment = var.environment
    ManagedBy   = "terraform"
  }
}
