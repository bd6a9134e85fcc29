output "mount" {
  description = "What a server needs to mount the files: file system and access point."
  value = {
    file_system_id  = aws_efs_file_system.shared.id
    access_point_id = aws_efs_access_point.servers.id
  }

  # An address exists once there is a mount target.
  depends_on = [aws_efs_mount_target.zone]
}

output "file_system_arn" {
  description = "ARN of the file system, for policies and backups."
  value       = aws_efs_file_system.shared.arn
}

output "access_point_arn" {
  description = "ARN of the access point, for policies."
  value       = aws_efs_access_point.servers.arn
}

output "key_arn" {
  description = "ARN of the key that encrypts the files."
  value       = aws_kms_key.files.arn
}
