output "vault" {
  description = "Name and ARN of the vault that keeps the recovery points."
  value = {
    name = aws_backup_vault.this.name
    arn  = aws_backup_vault.this.arn
  }
}

output "plan_id" {
  description = "Id of the weekly plan."
  value       = aws_backup_plan.weekly.id
}

output "role_arn" {
  description = "ARN of the role as which AWS Backup copies and restores; a restore job names it."
  value       = aws_iam_role.backup.arn
}

output "key_arn" {
  description = "ARN of the key that encrypts the recovery points."
  value       = aws_kms_key.backup.arn
}
