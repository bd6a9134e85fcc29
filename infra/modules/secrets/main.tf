# Secrets that Terraform makes and never sees again: the values are ephemeral, so that neither plan nor state holds one.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Turned by the next secrets_edition (docs/decisions/0014), with the servers told; no function does it behind them.

  for_each = var.names

  name        = "${var.name}-${each.key}"
  description = each.value
  kms_key_id  = aws_kms_key.secrets.arn

  # A secret that waits for its deletion keeps its name taken; development comes back under the same name.
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = var.names

  secret_id        = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo = var.values[each.key]

  # Only a new number writes again: that is how one is rotated.
  secret_string_wo_version = var.edition
}

resource "aws_kms_key" "secrets" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts the secrets of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}
