# The bucket of every Terraform state. The native lock file lives beside each state; no table is needed.
resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV2_AWS_6:private-bucket blocks it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV2_AWS_61:private-bucket gives it one; checkov cannot follow the bucket into the module.
  #checkov:skip=CKV2_AWS_62:Nothing acts on what is written here.
  #checkov:skip=CKV_AWS_144:Versions are kept for ninety days; a lost region is lost with what its state describes.
  #checkov:skip=CKV_AWS_145:private-bucket encrypts it; checkov cannot follow the bucket into the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_18:Changes to the bucket are in the account's trail; who read which object is not written down, which is a cost taken knowingly.
  #checkov:skip=CKV_AWS_21:private-bucket keeps versions; checkov cannot follow the bucket into the module (./lyceum prove static can).

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
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts Terraform's states"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "state" {
  name          = "alias/lyceum-state"
  target_key_id = aws_kms_key.state.key_id
}
