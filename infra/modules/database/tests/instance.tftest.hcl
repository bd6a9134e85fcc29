mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-test-database-monitoring" }
  }
}

variables {
  name               = "lyceum-test"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]

  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"

  log_group_names = ["/aws/rds/instance/lyceum-test-database/postgresql", "/aws/rds/instance/lyceum-test-database/upgrade"]
}

run "private_encrypted_observed_and_protected" {
  command = plan

  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted
    error_message = "The database is private and encrypted."
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.performance_insights_retention_period == 7
    error_message = "Performance Insights is on, for the seven days that cost nothing."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password
    error_message = "AWS keeps and rotates the master password; no state ever holds it."
  }

  assert {
    condition     = aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.deletion_protection
    error_message = "Any second of the last seven days can be had back, and the instance refuses to be destroyed."
  }

  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"]) == "1"
    error_message = "Whoever comes without TLS is refused."
  }

  assert {
    condition     = aws_db_instance.this.engine_lifecycle_support == "open-source-rds-extended-support-disabled"
    error_message = "Extended support is not bought by default."
  }
}

run "the_system_below_is_seen_every_minute" {
  command = plan

  assert {
    condition     = aws_db_instance.this.monitoring_interval == 60 && aws_db_instance.this.monitoring_role_arn == aws_iam_role.monitoring.arn
    error_message = "Enhanced monitoring, through the module's own role."
  }

  assert {
    condition     = aws_iam_role.monitoring.permissions_boundary == var.permissions_boundary_arn
    error_message = "No role without the boundary."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.monitoring_trust.statement :
      anytrue([for c in statement.condition : c.variable == "aws:SourceArn" && endswith(one(c.values), ":db:lyceum-test-database")])
    ])
    error_message = "RDS takes the role on behalf of this instance only."
  }
}

run "its_log_goes_where_it_expires" {
  command = plan

  assert {
    condition     = toset(aws_db_instance.this.enabled_cloudwatch_logs_exports) == toset(["postgresql", "upgrade"])
    error_message = "Exported into groups that are there before."
  }
}

run "a_group_that_rds_would_not_write_to_is_refused" {
  command = plan

  variables {
    log_group_names = ["/lyceum/test/database"]
  }

  expect_failures = [var.log_group_names]
}

run "one_subnet_is_refused" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_class_of_another_service_is_refused" {
  command = plan

  variables {
    instance_class = "t2.micro"
  }

  expect_failures = [var.instance_class]
}
