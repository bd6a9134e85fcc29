mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  alarm_email = "operator@example.org"
}

run "without_a_repository_there_is_no_pipeline" {
  command = plan

  assert {
    condition     = length(module.pipeline) == 0 && output.pipeline == null
    error_message = "Nobody said what it should deliver."
  }
}

run "the_deployer_reaches_no_part_of_the_pipeline" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for document in [data.aws_iam_policy_document.deployer_operations, data.aws_iam_policy_document.deployer_compute] : [
        for statement in document.statement : [
          for resource in statement.resources : can(regex(":project/lyceum-(dev|prod)-", resource))
        ] if anytrue([for action in statement.actions : startswith(action, "codebuild:")])
      ]
    ]))
    error_message = "Its projects are those of the environments."
  }

  assert {
    condition = alltrue(flatten([
      for document in [
        data.aws_iam_policy_document.deployer_operations, data.aws_iam_policy_document.deployer_identity,
        data.aws_iam_policy_document.deployer_compute, data.aws_iam_policy_document.deployer_edge,
        ] : [for statement in document.statement : [
          for action in statement.actions : !can(regex("^(codepipeline|codeconnections|codestar-connections|events):", action))
      ] if statement.effect != "Deny"]
    ]))
    error_message = "It knows no pipeline, no connection and no rule."
  }

  assert {
    condition     = alltrue([for pattern in local.environment_roles : !startswith("arn:aws:iam::123456789012:role/lyceum-pipeline-apply", trimsuffix(pattern, "*"))])
    error_message = "The pipeline's roles are none of an environment's."
  }
}

run "an_environment_that_the_account_has_not_is_refused" {
  command = plan

  variables {
    environments = ["dev"]
    pipeline     = { repository = "school/lyceum", environments = [{ name = "prod", variables = {} }] }
  }

  expect_failures = [var.pipeline]
}
