# The vault of the weekly recovery points. It has a key of its own: whoever may open the data may not thereby open,
# or spoil, its backups.
resource "aws_backup_vault" "this" {
  name        = "${var.name}-backup"
  kms_key_arn = aws_kms_key.backup.arn

  # AWS refuses to delete a vault that holds recovery points, unless they go with it.
  force_destroy = !var.protected
}

resource "aws_kms_key" "backup" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts the recovery points of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "backup" {
  name          = "alias/${var.name}-backup"
  target_key_id = aws_kms_key.backup.key_id
}

# No recovery point leaves before its time, and none can be told to stay for ever.
resource "aws_backup_vault_lock_configuration" "governance" {
  count = var.protected ? 1 : 0

  backup_vault_name  = aws_backup_vault.this.name
  min_retention_days = var.retention_days
  # A week more than the plan's, for one made by hand.
  max_retention_days = var.retention_days + 7

  # Purposefully no changeable_for_days: with it the lock turns into compliance mode, which nobody can ever lift, not
  # even AWS, and a mistake would be paid for until it expires.
}
