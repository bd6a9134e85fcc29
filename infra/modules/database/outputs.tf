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
