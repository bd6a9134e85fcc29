# Plans only: the state bucket refuses to be destroyed, even by a test.
mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-deployer" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::lyceum-state-123456789012" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/audit" }
  }
}

variables {
  alarm_email = "operator@example.org"
}

run "machines_are_launched_tagged_and_ended_by_tag" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_compute.statement :
      anytrue([for c in statement.condition : c.variable == "aws:RequestTag/Project" && contains(c.values, "lyceum")])
      if statement.effect != "Deny" && contains(statement.actions, "ec2:RunInstances") && anytrue([for r in statement.resources : endswith(r, ":instance/*")])
    ])
    error_message = "No machine without the project's tag."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_compute.statement :
      length(setintersection([for c in statement.condition : c.variable], ["aws:ResourceTag/Project", "aws:ResourceTag/Environment"])) == 2
      if length(setintersection(statement.actions, ["ec2:TerminateInstances", "ec2:StopInstances", "ec2:ModifyInstanceAttribute"])) > 0
    ])
    error_message = "Only the environments' own machines are changed or ended."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deployer_compute.statement : [for c in statement.condition : c.variable]
      if statement.effect == "Deny" && contains(statement.actions, "ec2:RunInstances")
    ])) == toset(["ec2:MetadataHttpTokens", "ec2:InstanceProfile"])
    error_message = "No machine whose metadata answers without a token, none with a profile of somebody else's."
  }
}

run "groups_and_documents_by_name" {
  command = plan

  variables {
    environments = ["dev"]
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.deployer_compute.statement : [
        for resource in statement.resources : strcontains(resource, "lyceum-dev-")
      ]
      if anytrue([for action in statement.actions : startswith(action, "autoscaling:") && !startswith(action, "autoscaling:Describe")]) || anytrue([for action in statement.actions : endswith(action, "Document")])
    ]))
    error_message = "Development's groups and documents, and nobody else's."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deployer_compute.statement : tolist(statement.actions) if contains(statement.resources, "*")
    ])) == toset(["autoscaling:Describe*"])
    error_message = "Only what reads names no resource."
  }
}
