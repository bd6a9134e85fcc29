# The smallest platform that a pipeline can deliver to: in a test it stands where infra/platform stands, whose own apply
# is proven elsewhere (./lyceum prove apply) and takes minutes.
terraform {
  backend "s3" {}

  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "environment" { type = string }
variable "region" { type = string }
variable "alarm_email" { type = string }

provider "aws" {
  region = var.region
}

locals {
  name = "lyceum-${var.environment}"
}

data "aws_caller_identity" "current" {}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_ssm_parameter" "amazon_linux" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

# By the name that the estimate of costs knows it by; without what makes the real one private, which takes a minute.
module "releases" {
  source = "./releases"

  bucket_name = "${local.name}-releases-${data.aws_caller_identity.current.account_id}"
}

resource "aws_launch_template" "server" {
  name          = "${local.name}-server"
  image_id      = data.aws_ssm_parameter.amazon_linux.insecure_value
  instance_type = "t2.micro"

  tag_specifications {
    resource_type = "instance"
    tags          = { Project = "lyceum", Release = "none" }
  }

  lifecycle {
    ignore_changes = [description, image_id, tag_specifications]
  }
}

resource "aws_lb_target_group" "servers" {
  name     = "${local.name}-servers"
  port     = 8000
  protocol = "HTTP"
  vpc_id   = data.aws_vpc.default.id
}

resource "aws_autoscaling_group" "servers" {
  name                      = "${local.name}-servers"
  vpc_zone_identifier       = [sort(data.aws_subnets.default.ids)[0]]
  target_group_arns         = [aws_lb_target_group.servers.arn]
  min_size                  = 1
  max_size                  = 2
  desired_capacity          = 1
  wait_for_capacity_timeout = "0"

  launch_template {
    id      = aws_launch_template.server.id
    version = aws_launch_template.server.latest_version
  }

  lifecycle {
    ignore_changes = [desired_capacity, launch_template[0].version]
  }
}

output "alarm_email" {
  value = var.alarm_email
}
