# The job that changes the database's tables before a release: a CodeBuild project inside the VPC, as nothing outside of
# it reaches the database. The pipeline starts it, and so may an operator; what it runs comes with the source.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  project   = "${var.name}-migrate"
}

resource "aws_codebuild_project" "this" {
  #checkov:skip=CKV_AWS_147:It hands nothing on; what it reads lies in the pipeline's bucket, under the pipeline's key.

  name           = local.project
  description    = "In each run of the pipeline: brings the database of ${var.name} up to date"
  service_role   = aws_iam_role.this.arn
  build_timeout  = 60
  queued_timeout = 60

  # Never two migrations at once.
  concurrent_build_limit = 1

  source {
    type      = "CODEPIPELINE"
    buildspec = "pipeline/migrate.yml"
  }

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = var.image
    compute_type = "BUILD_GENERAL1_SMALL"

    # Where things are, and no secret.
    dynamic "environment_variable" {
      for_each = {
        LYCEUM_DATABASE_ADDRESS           = var.database.address
        LYCEUM_DATABASE_PORT              = var.database.port
        LYCEUM_DATABASE_NAME              = var.database.name
        LYCEUM_DATABASE_MASTER_SECRET_ARN = var.database.master_secret_arn
        LYCEUM_DATABASE_SECRET_ARN        = var.application_secret_arn
      }

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  vpc_config {
    vpc_id             = var.vpc_id
    subnets            = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  logs_config {
    cloudwatch_logs {
      status     = "ENABLED"
      group_name = aws_cloudwatch_log_group.this.name
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:It is encrypted by the key that is given; checkov sees none from within the module (./lyceum prove static can).
  #checkov:skip=CKV_AWS_338:Ninety days of migrations; who started one is in the account's trail for a year.

  name              = "/lyceum/${var.environment}/migrate"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}
