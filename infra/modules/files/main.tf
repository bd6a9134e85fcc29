# Files shared among students: one tree, mounted by every server through one access point.
resource "aws_efs_file_system" "shared" {
  #checkov:skip=CKV2_AWS_18:The weekly plan selects it by ARN; checkov cannot follow that through modules (./lyceum prove static can).

  creation_token = "${var.name}-files"
  encrypted      = true
  kms_key_id     = aws_kms_key.files.arn

  # Pays for what is read and written: shared files are idle most of the day.
  throughput_mode = "elastic"

  lifecycle_policy {
    transition_to_ia = "AFTER_30_DAYS"
  }

  lifecycle_policy {
    transition_to_primary_storage_class = "AFTER_1_ACCESS"
  }

  tags = { Name = "${var.name}-files" }
}

resource "aws_efs_mount_target" "zone" {
  count = length(var.subnet_ids)

  file_system_id  = aws_efs_file_system.shared.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = var.security_group_ids
}

# Every server is the same user in the same folder, whatever user it runs as: it cannot leave the folder.
resource "aws_efs_access_point" "servers" {
  file_system_id = aws_efs_file_system.shared.id

  posix_user {
    uid = var.owner_id
    gid = var.owner_id
  }

  root_directory {
    path = "/shared"

    creation_info {
      owner_uid   = var.owner_id
      owner_gid   = var.owner_id
      permissions = "0750"
    }
  }

  tags = { Name = "${var.name}-files" }
}

resource "aws_kms_key" "files" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts the shared files of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "files" {
  name          = "alias/${var.name}-files"
  target_key_id = aws_kms_key.files.key_id
}
