output "endpoint" {
  description = "Address, port and database, and the ARN of the secret in which AWS keeps the master password."
  value = {
    address           = aws_db_instance.this.address
    port              = aws_db_instance.this.port
    name              = aws_db_instance.this.db_name
    master_secret_arn = aws_db_instance.this.master_user_secret[0].secret_arn
  }
}

output "arn" {
  description = "ARN of the instance, for backups and policies."
  value       = aws_db_instance.this.arn
}

output "identifier" {
  description = "Name of the instance, the dimension of its metrics."
  value       = aws_db_instance.this.identifier
}

output "key_arn" {
  description = "ARN of the key that encrypts it, its master password and its insights."
  value       = aws_kms_key.database.arn
}
