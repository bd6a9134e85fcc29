# The servers module with as little around it as it needs: applied to an emulator by tests/infra/test_servers.py.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  default_tags {
    tags = {
      Project     = "lyceum"
      Environment = "dev"
      ManagedBy   = "terraform"
      Root        = "platform"
    }
  }
}

variable "volume_gib" {
  type    = number
  default = 8
}

variable "max_size" {
  type    = number
  default = 2
}

variable "lifetime_days" {
  type    = number
  default = 14
}

locals {
  arn = "us-east-1:123456789012"
}

resource "aws_vpc" "test" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_subnet" "app" {
  count = 2

  vpc_id            = aws_vpc.test.id
  cidr_block        = cidrsubnet("10.20.16.0/20", 2, count.index)
  availability_zone = "us-east-1${["a", "b"][count.index]}"
}

resource "aws_security_group" "server" {
  name   = "lyceum-dev-server"
  vpc_id = aws_vpc.test.id
}

resource "aws_lb_target_group" "servers" {
  name     = "lyceum-dev-servers"
  port     = 8000
  protocol = "HTTP"
  vpc_id   = aws_vpc.test.id
}

resource "aws_iam_policy" "boundary" {
  name   = "lyceum-boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

module "servers" {
  source = "../../../infra/modules/servers"

  name               = "lyceum-dev"
  environment        = "dev"
  subnet_ids         = aws_subnet.app[*].id
  security_group_ids = [aws_security_group.server.id]
  target_group_arn   = aws_lb_target_group.servers.arn
  volume_gib         = var.volume_gib
  size               = { max = var.max_size }
  max_lifetime_days  = var.lifetime_days
  release_bucket     = "lyceum-dev-releases-123456789012"
  user_data_template = "${path.module}/../../../instance/user-data.sh.tftpl"

  settings = {
    CONTENT_URL  = "s3://lyceum-dev-content-123456789012"
    PROGRESS_URL = "dynamodb://lyceum-dev-progress"
  }

  access = {
    content_bucket_arn = "arn:aws:s3:::lyceum-dev-content-123456789012"
    progress_table_arn = "arn:aws:dynamodb:${local.arn}:table/lyceum-dev-progress"
    secret_arns        = ["arn:aws:secretsmanager:${local.arn}:secret:lyceum-dev-application-AbCdEf"]
    log_group_arns     = ["arn:aws:logs:${local.arn}:log-group:/lyceum/dev/system", "arn:aws:logs:${local.arn}:log-group:/lyceum/dev/application"]
    file_system_arn    = "arn:aws:elasticfilesystem:${local.arn}:file-system/fs-0123456789abcdef0"
    access_point_arn   = "arn:aws:elasticfilesystem:${local.arn}:access-point/fsap-0123456789abcdef0"
    key_arns           = { s3 = ["arn:aws:kms:${local.arn}:key/11111111-2222-3333-4444-555555555555"] }

    mail = {
      identity_arn = "arn:aws:ses:${local.arn}:identity/learn.example"
      from_address = "no-reply@learn.example"
    }
  }

  permissions_boundary_arn = aws_iam_policy.boundary.arn
}

output "group_name" {
  value = module.servers.group_name
}

output "launch_template_id" {
  value = module.servers.launch_template_id
}
