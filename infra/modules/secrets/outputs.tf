output "arns" {
  description = "ARN of each secret that holds its value, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }

  # Whoever reads one needs its value there.
  depends_on = [aws_secretsmanager_secret_version.this]
}

output "key_arn" {
  description = "ARN of the key that encrypts them."
  value       = aws_kms_key.secrets.arn
}
