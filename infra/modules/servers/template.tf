# Each version of this template is a server to the last detail: image, size, settings and release. Terraform writes
# versions, and so does the release tool: a release is a version whose `Release` tag names another artifact. Neither
# moves the group by writing one; the release tool points the group at a version, and back.
resource "aws_launch_template" "server" {
  name                   = "${var.name}-server"
  description            = "One server of ${var.name}"
  update_default_version = false

  image_id      = data.aws_ssm_parameter.amazon_linux.insecure_value
  instance_type = var.instance_type
  user_data     = base64encode(local.user_data)

  iam_instance_profile {
    arn = aws_iam_instance_profile.server.arn
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = var.security_group_ids
  }

  # A token for every question, and none that a container or a proxy on the server could forward. The tags tell a
  # server which release it is.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_gib
      encrypted             = true
      kms_key_id            = aws_kms_key.volumes.arn
      delete_on_termination = true
    }
  }

  # With `standard`, T2's default, CPU is capped near 10 % once its credits are gone: a CPU target is then never reached.
  dynamic "credit_specification" {
    for_each = startswith(var.instance_type, "t") ? [1] : []

    content {
      cpu_credits = "unlimited"
    }
  }

  # A point a minute: target tracking is three times as slow, and blind to a short peak, on five-minute data.
  monitoring {
    enabled = true
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Release = "none" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = local.tags
  }

  tags = { Name = "${var.name}-server" }

  lifecycle {
    # These belong to the release tool from the first release on. Terraform reads them back from the latest version
    # and writes them unchanged into the next, so that a change of size never undoes a release. A newer image from
    # Amazon is therefore no change of Terraform's: it comes with the next release, tried and rolled back like one.
    ignore_changes = [description, image_id, tag_specifications]
  }
}

# Only the first version takes it from here. The template holds the id, not the parameter: rolling back to an older
# version must bring the older image back, and an instance refresh does not roll back to what is not literal.
data "aws_ssm_parameter" "amazon_linux" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

locals {
  user_data = templatefile(var.user_data_template, {
    region         = data.aws_region.current.name
    release_bucket = var.release_bucket
    waiting_room   = file("${dirname(var.user_data_template)}/waiting_room.py")

    settings = merge(var.settings, {
      LYCEUM_ENVIRONMENT       = var.environment
      LYCEUM_AUTOSCALING_GROUP = local.group_name
      LYCEUM_METRICS_NAMESPACE = local.metrics_namespace
    })
  })
}
