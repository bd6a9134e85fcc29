mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name                     = "lyceum-test"
  environment              = "test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  security_group_ids       = ["sg-jobs"]
  application_secret_arn   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lyceum-test-database-a"
  secret_key_arns          = ["arn:aws:kms:us-east-1:123456789012:key/1"]
  key_arn                  = "arn:aws:kms:us-east-1:123456789012:key/2"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"

  database = {
    address           = "db.example.org"
    port              = 5432
    name              = "lyceum"
    master_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"
  }
}

run "it_runs_inside_the_network_and_one_at_a_time" {
  command = plan

  assert {
    condition     = one(aws_codebuild_project.this.vpc_config).subnets == toset(["subnet-1", "subnet-2"]) && one(aws_codebuild_project.this.vpc_config).security_group_ids == toset(["sg-jobs"])
    error_message = "In the management tier, as a job."
  }

  assert {
    condition     = aws_codebuild_project.this.concurrent_build_limit == 1
    error_message = "Never two migrations at once."
  }

  assert {
    condition     = one(aws_codebuild_project.this.source).buildspec == "pipeline/migrate.yml"
    error_message = "By the file of the repository."
  }
}

run "it_holds_no_secret" {
  command = plan

  assert {
    condition     = alltrue([for variable in one(aws_codebuild_project.this.environment).environment_variable : !strcontains(lower(variable.name), "password")])
    error_message = "Where passwords are, and not what they are."
  }

  assert {
    condition = anytrue([for statement in data.aws_iam_policy_document.this.statement :
      statement.sid == "Passwords" && statement.resources == toset([var.database.master_secret_arn, var.application_secret_arn])
    ])
    error_message = "Its role opens these two secrets and no other."
  }
}

run "its_role_is_bounded_and_its_own" {
  command = plan

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/lyceum-boundary"
    error_message = "The deployer makes no role without the boundary."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).condition).values == tolist(["arn:aws:codebuild:us-east-1:123456789012:project/lyceum-test-migrate"])
    error_message = "Assumed for this project and no other."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 90 && aws_cloudwatch_log_group.this.kms_key_id == var.key_arn
    error_message = "It logs to a group that forgets, under the environment's key."
  }
}
