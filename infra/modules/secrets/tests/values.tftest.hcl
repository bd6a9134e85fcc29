mock_provider "aws" {
  override_during = plan

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
}

variables {
  name   = "lyceum-test"
  names  = { database = "the application's password", secret-key = "signs sessions" }
  values = { database = "made-for-this-run", secret-key = "made-for-this-run-too" }
}

run "values_are_written_and_not_kept" {
  command = plan

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string_wo_version == 1])
    error_message = "The first edition is written."
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string == null && version.secret_string_wo == null])
    error_message = "No plan and no state holds a value."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == aws_kms_key.secrets.arn])
    error_message = "Encrypted with the module's own key."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["database"].recovery_window_in_days == 30
    error_message = "A protected secret can be had back."
  }
}

run "development_frees_its_names_at_once" {
  command = plan

  variables {
    protected = false
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.recovery_window_in_days == 0])
    error_message = "The name is free for the next apply."
  }
}

run "half_an_edition_is_refused" {
  command = plan

  variables {
    edition = 1.5
  }

  expect_failures = [var.edition]
}

run "a_name_that_no_policy_would_match_is_refused" {
  command = plan

  variables {
    names = { "Secret Key" = "signs sessions" }
  }

  expect_failures = [var.names]
}
