# Course progress: a write every few seconds per learner. One item for each learner, course and lesson; one query reads a course.
resource "aws_dynamodb_table" "this" {
  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.protected

  # Purposefully no secondary index: every report would write to it as well.
  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.progress.arn
  }
}

resource "aws_kms_key" "progress" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts ${var.table_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "progress" {
  name          = "alias/${var.table_name}"
  target_key_id = aws_kms_key.progress.key_id
}
