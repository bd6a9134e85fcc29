# Source, verify, and then each environment as one stage: within a stage no other run comes between, so that what was
# planned, approved, applied and released belongs to one commit.
resource "aws_codepipeline" "this" {
  name          = var.name
  role_arn      = aws_iam_role.pipeline.arn
  pipeline_type = "V2"

  # A newer commit overtakes one that waits between two stages, never one that is in a stage: who approves is shown the
  # newest, and nothing is stopped half way.
  execution_mode = "SUPERSEDED"

  artifact_store {
    type     = "S3"
    location = module.private.id

    encryption_key {
      type = "KMS"
      id   = aws_kms_key.pipeline.arn
    }
  }

  trigger {
    provider_type = "CodeStarSourceConnection"

    git_configuration {
      source_action_name = "Source"

      push {
        branches {
          includes = [var.branch]
        }
      }

      dynamic "push" {
        for_each = length(var.tags) > 0 ? [1] : []

        content {
          tags {
            includes = var.tags
          }
        }
      }
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      namespace        = "Source"
      output_artifacts = ["Source"]

      configuration = {
        ConnectionArn    = aws_codeconnections_connection.github.arn
        FullRepositoryId = var.repository
        BranchName       = var.branch
        # A clone and no archive: a version is named after its commit, and the tests list what git tracks.
        OutputArtifactFormat = "CODEBUILD_CLONE_REF"
        # The triggers above decide.
        DetectChanges = "false"
      }
    }
  }

  stage {
    name = "Verify"

    # It changes nothing, so that what an index or a network spoiled may simply be tried once more.
    on_failure {
      result = "RETRY"

      retry_configuration {
        retry_mode = "FAILED_ACTIONS"
      }
    }

    action {
      name            = "Verify"
      category        = "Test"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      run_order       = 1
      input_artifacts = ["Source"]

      configuration = { ProjectName = aws_codebuild_project.stage["verify"].name }
    }

    action {
      name             = "Build"
      category         = "Build"
      owner            = "AWS"
      provider         = "CodeBuild"
      version          = "1"
      run_order        = 2
      namespace        = "Build"
      input_artifacts  = ["Source"]
      output_artifacts = ["Release"]

      configuration = { ProjectName = aws_codebuild_project.stage["build"].name }
    }
  }

  dynamic "stage" {
    for_each = local.stages

    content {
      name = title(stage.value.name)

      # The next environment is not begun while the one before it rings.
      dynamic "before_entry" {
        for_each = stage.value.after == "" ? [] : [stage.value.after]

        content {
          condition {
            result = "FAIL"

            rule {
              name = "${title(before_entry.value)}IsQuiet"

              rule_type_id {
                category = "Rule"
                owner    = "AWS"
                provider = "CloudWatchAlarm"
                version  = "1"
              }

              configuration = {
                AlarmName = "lyceum-${before_entry.value}-target-errors"
                WaitTime  = "1"
              }
            }
          }
        }
      }

      dynamic "action" {
        for_each = stage.value.actions

        content {
          name             = action.value.name
          category         = action.value.category
          owner            = "AWS"
          provider         = action.value.provider
          version          = "1"
          run_order        = action.key + 1
          namespace        = action.value.namespace
          input_artifacts  = action.value.reads
          output_artifacts = action.value.writes
          configuration    = action.value.configuration
        }
      }
    }
  }

  # Named above, not referred to: what waits for approval has to be told to a topic that is there.
  depends_on = [aws_sns_topic_policy.pipeline]
}

locals {
  stages = [for index, environment in var.environments : {
    name  = environment.name
    after = index == 0 ? "" : var.environments[index - 1].name

    actions = [for action in local.actions : {
      name      = action.name
      category  = action.name == "Approve" ? "Approval" : "Build"
      provider  = action.name == "Approve" ? "Manual" : "CodeBuild"
      namespace = action.name == "Plan" ? "${title(environment.name)}Plan" : null
      reads     = action.name == "Approve" ? [] : concat(["Source"], [for artifact in action.reads : replace(artifact, "Plan", "Plan${title(environment.name)}")])
      writes    = [for artifact in action.writes : replace(artifact, "Plan", "Plan${title(environment.name)}")]

      configuration = action.name == "Approve" ? {
        NotificationArn = local.topic_arn
        # What the plan would do and what that costs, as ./lyceum show-plan said it.
        CustomData = "${environment.name}: #{${title(environment.name)}Plan.LYCEUM_PLAN_SUMMARY}. Release #{Build.LYCEUM_VERSION}."
        } : {
        ProjectName   = action.name == "Migrate" ? "lyceum-${environment.name}-migrate" : aws_codebuild_project.stage[lower(action.name)].name
        PrimarySource = "Source"

        EnvironmentVariables = jsonencode([for name, value in {
          LYCEUM_ENVIRONMENT = environment.name
          LYCEUM_VERSION     = "#{Build.LYCEUM_VERSION}"
          LYCEUM_VARIABLES   = action.name == "Plan" ? jsonencode(environment.variables) : ""
          LYCEUM_URL         = action.name == "Smoke" ? environment.url : ""
        } : { name = name, value = value, type = "PLAINTEXT" } if value != ""])
      }
    } if action.name != "Approve" || environment.approve]
  }]

  # Each is the project's of its name, but for two: a person approves, and an environment migrates by its own.
  actions = [for name in ["Plan", "Approve", "Apply", "Publish", "Migrate", "Release", "Smoke"] : {
    name   = name
    reads  = try(local.projects[lower(name)].reads, [])
    writes = try(local.projects[lower(name)].writes, [])
  }]
}
