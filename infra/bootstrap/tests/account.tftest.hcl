# Plans only: the state bucket refuses to be destroyed, even by a test.
mock_provider "aws" {
  source          = "../mocks"
  override_during = plan
}

variables {
  alarm_email = "operator@lyceum.example"
}

run "the_deployer_is_nobody_without_a_second_factor" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.become_the_deployer.statement :
      anytrue([for c in statement.condition : c.variable == "aws:MultiFactorAuthPresent" && contains(c.values, "true")])
      if contains(statement.actions, "sts:AssumeRole")
    ])
    error_message = "The user becomes the deployer with a second factor only."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_trust.statement :
      anytrue([for c in statement.condition : c.variable == "aws:MultiFactorAuthPresent" && contains(c.values, "true")])
    ])
    error_message = "The role lets itself be assumed with a second factor only."
  }

  assert {
    condition = length(setsubtract(
      flatten([for statement in data.aws_iam_policy_document.become_the_deployer.statement : tolist(statement.actions)]),
      ["sts:AssumeRole", "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"],
    )) == 0
    error_message = "The user may register a second factor, become the deployer, and do nothing else."
  }
}

run "a_damaged_state_can_be_had_back" {
  command = plan

  # That it is private, versioned and TLS only is tested where it is made: modules/private-bucket.
  assert {
    condition = (
      module.private_state.promises.kms_key_arn == aws_kms_key.state.arn
      && module.private_state.promises.noncurrent_days == 90
      && module.private_state.promises.expiration_days == null
    )
    error_message = "Encrypted with its own key, old versions kept for ninety days, no state thrown away by age."
  }
}

run "no_role_is_made_or_given_rights_without_the_boundary" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_identity.statement :
      anytrue([for c in statement.condition : c.variable == "iam:PermissionsBoundary"])
      if length(setintersection(statement.actions, ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"])) > 0
    ])
    error_message = "Creating a role and giving it rights needs the boundary on it."
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.deployer_identity.statement : [
        for action in statement.actions : !strcontains(action, "*") && !contains(["iam:CreatePolicyVersion", "iam:CreateUser", "iam:CreateAccessKey"], action)
      ] if statement.effect == null || statement.effect == "Allow"
    ]))
    error_message = "The deployer changes no policy of bootstrap's, makes no user and no key."
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.boundary.statement : [for action in statement.actions : !startswith(action, "iam:") && !startswith(action, "sts:")]
    ]))
    error_message = "Within the boundary nothing touches identities."
  }
}

run "an_environment_owns_only_what_carries_its_name" {
  command = plan

  variables {
    environments = ["dev"]
  }

  assert {
    condition     = local.prefixes == ["lyceum-dev-"]
    error_message = "Only development's names."
  }

  assert {
    condition     = alltrue([for role in local.environment_roles : !can(regex(replace(role, "*", ".*"), aws_iam_role.deployer.arn))])
    error_message = "The deployer's own role is not among those it may change."
  }
}

run "an_unknown_environment_is_refused" {
  command = plan

  variables {
    environments = ["stage"]
  }

  expect_failures = [var.environments]
}

run "an_account_without_an_address_for_alarms_is_refused" {
  command = plan

  variables {
    alarm_email = ""
  }

  expect_failures = [var.alarm_email]
}

run "nobody_makes_a_resource_his_own_by_its_tag" {
  command = plan

  assert {
    condition = alltrue([
      for statement in concat(
        data.aws_iam_policy_document.deployer_backup.statement, data.aws_iam_policy_document.deployer_data.statement,
        data.aws_iam_policy_document.deployer_edge.statement, data.aws_iam_policy_document.deployer_keys.statement,
      ) : anytrue([for c in statement.condition : c.variable == "aws:ResourceTag/Project"])
      if anytrue([for c in statement.condition : c.variable == "aws:RequestTag/Project"])
      && anytrue([for action in statement.actions : can(regex(":(AddTags|Tag)", action))])
    ])
    error_message = "What sets a tag has to look at the tag that is there."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_keys.statement :
      anytrue([for c in statement.condition : endswith(c.variable, "Tag/Environment")])
      if length(setintersection(statement.actions, ["kms:CreateKey", "kms:CreateGrant", "kms:TagResource"])) > 0 && statement.effect != "Deny"
    ])
    error_message = "The keys of the states and of the trail are lyceum's, and no environment's."
  }
}
