mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  repository           = "school/lyceum"
  alarm_email          = "operator@example.org"
  deployer_policy_arns = { state = "arn:aws:iam::123456789012:policy/lyceum-deployer-state", data = "arn:aws:iam::123456789012:policy/lyceum-deployer-data" }

  environments = [
    { name = "dev", variables = { alarm_email = "operator@example.org" }, approve = false },
    { name = "prod", variables = { alarm_email = "operator@example.org" }, url = "https://learn.example.org" },
  ]
}

run "a_commit_goes_through_every_stage_in_order" {
  command = plan

  assert {
    condition     = aws_codepipeline.this.stage[*].name == tolist(["Source", "Verify", "Dev", "Prod"])
    error_message = "Verified first, then each environment in turn."
  }

  assert {
    condition     = tolist([for action in aws_codepipeline.this.stage[3].action : action.name]) == tolist(["Plan", "Approve", "Apply", "Publish", "Migrate", "Release", "Smoke"])
    error_message = "Production is planned, approved, applied, and then released."
  }

  assert {
    condition     = tolist([for action in aws_codepipeline.this.stage[3].action : action.run_order]) == tolist([1, 2, 3, 4, 5, 6, 7])
    error_message = "One after the other."
  }

  assert {
    condition     = !contains([for action in aws_codepipeline.this.stage[2].action : action.name], "Approve")
    error_message = "Development waits for nobody."
  }

  assert {
    condition     = aws_codepipeline.this.pipeline_type == "V2" && aws_codepipeline.this.execution_mode == "SUPERSEDED"
    error_message = "A newer commit overtakes one that waits between stages."
  }

  assert {
    condition = anytrue([for trigger in aws_codepipeline.this.trigger : anytrue([
      for push in one(trigger.git_configuration).push : try(one(push.branches).includes == tolist(["main"]), false)
      ])]) && anytrue([for trigger in aws_codepipeline.this.trigger : anytrue([
      for push in one(trigger.git_configuration).push : try(one(push.tags).includes == tolist(["v*"]), false)
    ])])
    error_message = "Started by a commit on main, and by a tag."
  }

  assert {
    condition     = one(one(one(aws_codepipeline.this.stage[3].before_entry).condition).rule).configuration.AlarmName == "lyceum-dev-target-errors"
    error_message = "Production is not begun while development rings."
  }
}

run "what_was_planned_is_what_is_applied" {
  command = plan

  assert {
    condition = alltrue([for stage in slice(aws_codepipeline.this.stage, 2, 4) : alltrue([for action in stage.action :
      action.name == "Plan" ? action.output_artifacts == tolist(["Plan${stage.name}"]) :
      action.name == "Apply" ? action.input_artifacts == tolist(["Source", "Plan${stage.name}"]) : true
    ])])
    error_message = "A stage applies the plan of its own environment."
  }

  assert {
    condition     = strcontains(aws_codepipeline.this.stage[3].action[1].configuration.CustomData, "#{ProdPlan.LYCEUM_PLAN_SUMMARY}")
    error_message = "Whoever approves reads what the plan does and what it costs."
  }

  assert {
    condition     = alltrue([for stage in slice(aws_codepipeline.this.stage, 2, 4) : alltrue([for action in stage.action : contains(action.input_artifacts, "Release") if action.name == "Publish"])])
    error_message = "Every environment gets the artifact that was built once."
  }
}

run "each_stage_has_a_role_of_its_own" {
  command = plan

  assert {
    condition     = length(distinct([for role in aws_iam_role.project : role.name])) == length(local.projects)
    error_message = "No two stages share a role."
  }

  assert {
    condition = alltrue([for project, document in data.aws_iam_policy_document.project_trust : alltrue([for statement in document.statement :
      one(statement.principals).identifiers == toset(["codebuild.amazonaws.com"]) &&
      one(statement.condition).variable == "aws:SourceArn" &&
      endswith(one(one(statement.condition).values), ":project/lyceum-pipeline-${project}")
    ])])
    error_message = "A role is assumed for its own project and for no other."
  }

  assert {
    condition     = toset([for attached in aws_iam_role_policy_attachment.deploys : attached.role]) == toset(["lyceum-pipeline-apply", "lyceum-pipeline-plan"])
    error_message = "The deployer's rights are for planning and applying."
  }

  assert {
    condition = anytrue([for statement in data.aws_iam_policy_document.looks_only.statement : alltrue([
      statement.effect == "Deny",
      statement.resources == toset(["*"]),
      length(statement.condition) == 0,
      # Nothing that is left out of the denial changes anything but a lock and the plan that is handed on.
      alltrue([for action in statement.not_actions : anytrue([
        can(regex(":(Describe|Get|List|BatchGet)[*]?", action)),
        contains(["codeconnections:UseConnection", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents", "s3:DeleteObject", "s3:PutObject"], action),
      ])]),
    ]) if statement.not_actions != null])
    error_message = "Planning changes nothing."
  }

  assert {
    condition = anytrue([for statement in data.aws_iam_policy_document.looks_only.statement :
      statement.effect == "Deny" && statement.actions == toset(["s3:DeleteObject", "s3:PutObject"]) &&
      alltrue([for resource in statement.not_resources : endswith(resource, ".tfstate.tflock") || endswith(resource, "/*/Plan*")])
      if statement.not_resources != null
    ])
    error_message = "Planning writes no state."
  }

  assert {
    condition = alltrue(flatten([for statement in data.aws_iam_policy_document.check.statement : [for action in statement.actions :
      contains(["logs:CreateLogStream", "logs:PutLogEvents", "codeconnections:GetConnection", "codeconnections:GetConnectionToken", "codeconnections:UseConnection"], action)
    ]]))
    error_message = "What a pull request brings may write its log, and read its source."
  }
}

run "what_is_handed_on_is_encrypted_and_does_not_stay" {
  command = plan

  assert {
    condition     = one(one(aws_codepipeline.this.artifact_store).encryption_key).id == aws_kms_key.pipeline.arn && module.private.promises.kms_key_arn == aws_kms_key.pipeline.arn && aws_kms_key.pipeline.enable_key_rotation
    error_message = "Under the pipeline's own key, which is rotated."
  }

  assert {
    condition     = module.private.promises.expiration_days == 30
    error_message = "A plan may hold secrets: it is gone after a month."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.project : group.retention_in_days == 90])
    error_message = "Every build logs to a group that forgets."
  }

  assert {
    condition     = alltrue([for project in aws_codebuild_project.stage : one(project.environment).privileged_mode == null || one(project.environment).privileged_mode == false])
    error_message = "No build is privileged."
  }
}

run "a_failure_is_told" {
  command = plan

  assert {
    condition     = toset(jsondecode(aws_cloudwatch_event_rule.failed.event_pattern).detail.state) == toset(["FAILED", "STOPPED"]) && jsondecode(aws_cloudwatch_event_rule.failed.event_pattern).detail.pipeline == ["lyceum-pipeline"]
    error_message = "A run that failed or was stopped is an event."
  }

  assert {
    condition     = aws_cloudwatch_event_target.letter.arn == aws_sns_topic.pipeline.arn && aws_sns_topic_subscription.operator.endpoint == "operator@example.org"
    error_message = "It becomes a letter."
  }
}

run "pull_requests_are_checked_once_the_connection_is_complete" {
  command = plan

  variables {
    connected = true
  }

  assert {
    condition     = length(aws_codebuild_webhook.pull_requests) == 1 && one(aws_codebuild_project.check.source).buildspec == "pipeline/verify.yml"
    error_message = "By the file that verifies main."
  }
}

run "before_that_there_is_no_webhook" {
  command = plan

  assert {
    condition     = length(aws_codebuild_webhook.pull_requests) == 0
    error_message = "AWS cannot ask GitHub for one yet."
  }
}

run "production_without_approval_is_refused" {
  command = plan

  variables {
    environments = [{ name = "prod", variables = {}, approve = false }]
  }

  expect_failures = [var.environments]
}

run "a_repository_by_its_address_is_refused" {
  command = plan

  variables {
    repository = "https://github.com/school/lyceum"
  }

  expect_failures = [var.repository]
}
