mock_provider "aws" {}

variables {
  name               = "lyceum-test"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
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
