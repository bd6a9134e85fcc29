# One rule, once a week. Independent of what the services do by themselves: RDS and DynamoDB return to any second of
# their last days, and lose that with the instance or the table.
resource "aws_backup_plan" "weekly" {
  name = "${var.name}-weekly"

  rule {
    rule_name         = "weekly"
    target_vault_name = aws_backup_vault.this.name

    # UTC. AWS Backup starts nothing in the hour before RDS's own windows, nor in them: these are 01:00 to 01:30 every
    # night and Monday 02:00 to 02:45.
    schedule = "cron(0 3 ? * SUN *)"
    # Begins by 04:00, has ended by 22:00 on the same Sunday: the first copy of all videos is the long one.
    start_window      = 60
    completion_window = 1080

    # A second point-in-time recovery would be paid for twice, and RDS lets only one of the two keep its log.
    enable_continuous_backup = false

    lifecycle {
      delete_after = var.retention_days
    }

    recovery_point_tags = local.recovery_point_tags
  }
}

# By ARN: a tag that somebody forgets must not decide whether student data is backed up.
resource "aws_backup_selection" "data" {
  name         = "${var.name}-data"
  plan_id      = aws_backup_plan.weekly.id
  iam_role_arn = aws_iam_role.backup.arn
  resources    = values(var.resources)

  # AWS Backup tries the role when the selection is made.
  depends_on = [aws_iam_role_policy_attachment.backup]
}

# The provider's default tags reach what Terraform makes, not what AWS Backup makes. By the environment's tag it is
# decided who may delete a recovery point.
data "aws_default_tags" "provider" {}

locals {
  recovery_point_tags = merge(data.aws_default_tags.provider.tags, {
    ManagedBy = "aws-backup"
    Plan      = "${var.name}-weekly"
  })
}
