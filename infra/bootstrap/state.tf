# The bucket of every Terraform state. The native lock file lives beside each state; no table is needed.
resource "aws_s3_bucket" "state" {
  # The account's number makes the name unique in the world without a random suffix.
  bucket = "lyceum-state-${data.aws_caller_identity.current.account_id}"

  lifecycle {
    prevent_destroy = true
  }
}

module "private_state" {
  source = "../modules/private-bucket"

  bucket      = aws_s3_bucket.state
  kms_key_arn = aws_kms_key.state.arn

  # Ninety days to notice that a state was damaged.
  noncurrent_days = 90
}

resource "aws_kms_key" "state" {
  description             = "Encrypts Terraform's states"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "state" {
  name          = "alias/lyceum-state"
  target_key_id = aws_kms_key.state.key_id
}
