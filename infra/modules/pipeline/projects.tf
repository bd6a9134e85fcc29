# A project a stage, each with a role and a log group of its own. The buildspec comes with the source.
resource "aws_codebuild_project" "stage" {
  #checkov:skip=CKV_AWS_147:What a build hands on lies in the pipeline's bucket, under the pipeline's key; the project keeps nothing.

  for_each = local.projects

  name           = "${var.name}-${each.key}"
  description    = "In each run: ${each.value.about}"
  service_role   = aws_iam_role.project[each.key].arn
  build_timeout  = each.value.minutes
  queued_timeout = 60

  # Two builds of the same stage would stand in each other's way only in applying; there the state's lock decides.
  source {
    type      = "CODEPIPELINE"
    buildspec = "pipeline/${each.key}.yml"
  }

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = var.image
    compute_type = each.value.compute
  }

  logs_config {
    cloudwatch_logs {
      status     = "ENABLED"
      group_name = aws_cloudwatch_log_group.project[each.key].name
    }
  }
}

resource "aws_cloudwatch_log_group" "project" {
  #checkov:skip=CKV_AWS_338:Ninety days of builds; who applied what is in the account's trail for a year.

  for_each = local.builds

  name              = "/lyceum/pipeline/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.pipeline.arn
}

# What a pull request would bring is tried before it is merged, by the same buildspec, with a role that may do nothing.
resource "aws_codebuild_project" "check" {
  name           = "${var.name}-check"
  description    = "Of each pull request: runs every suite that needs no root"
  service_role   = aws_iam_role.check.arn
  build_timeout  = local.projects.verify.minutes
  queued_timeout = 60

  source {
    type                = "GITHUB"
    location            = "https://github.com/${var.repository}.git"
    buildspec           = "pipeline/verify.yml"
    report_build_status = true

    auth {
      type     = "CODECONNECTIONS"
      resource = aws_codeconnections_connection.github.arn
    }
  }

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = var.image
    compute_type = local.projects.verify.compute
  }

  logs_config {
    cloudwatch_logs {
      status     = "ENABLED"
      group_name = aws_cloudwatch_log_group.project["check"].name
    }
  }
}

# AWS asks GitHub for it, which it cannot before the connection is complete.
resource "aws_codebuild_webhook" "pull_requests" {
  count = var.connected ? 1 : 0

  project_name = aws_codebuild_project.check.name
  build_type   = "BUILD"

  filter_group {
    filter {
      type    = "EVENT"
      pattern = "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, PULL_REQUEST_REOPENED"
    }

    filter {
      type    = "BASE_REF"
      pattern = "^refs/heads/${var.branch}$"
    }
  }
}
