# The way of an operator to the database. Out: 5432 to the database, 443 to Session Manager, nothing else; in: nothing.
# The network's table of flows says so; this instance has no key pair, no public address and no user of its own.
resource "aws_instance" "this" {
  #checkov:skip=CKV_AWS_126:Nothing scales on it, and five minutes are fine enough for a forward.
  #checkov:skip=CKV_AWS_135:Its types are always optimised for EBS.

  ami           = data.aws_ssm_parameter.amazon_linux.insecure_value
  instance_type = var.instance_type

  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = var.security_group_ids
  associate_public_ip_address = false
  iam_instance_profile        = aws_iam_instance_profile.bastion.name

  # Session tokens only, and none that a forwarded request could carry off.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 8
    encrypted   = true
    kms_key_id  = var.key_arn
  }

  # A forward costs no processor; surplus credits would cost money.
  credit_specification {
    cpu_credits = "standard"
  }

  tags = { Name = "${var.name}-bastion" }

  lifecycle {
    # Amazon publishes an image every other week, and no plan should replace the bastion because of it. Nothing is kept
    # on it: `terraform apply -replace` of this instance renews it, which is also how it is patched.
    ignore_changes = [ami]
  }
}

data "aws_ssm_parameter" "amazon_linux" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.architecture}"
}

locals {
  # t4g.nano and its like, with a g after the generation, are Arm.
  architecture = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.instance_type)) ? "arm64" : "x86_64"
}
