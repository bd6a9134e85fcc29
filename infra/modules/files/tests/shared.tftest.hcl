mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
}

variables {
  name               = "lyceum-test"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
}

run "encrypted_in_both_zones_and_idle_files_are_cheap" {
  command = plan

  assert {
    condition     = aws_efs_file_system.shared.encrypted && aws_efs_file_system.shared.kms_key_id == aws_kms_key.files.arn
    error_message = "Encrypted with the module's own key."
  }

  assert {
    condition     = [for target in aws_efs_mount_target.zone : target.subnet_id] == ["subnet-1", "subnet-2"]
    error_message = "A mount target in each zone."
  }

  assert {
    condition     = anytrue([for policy in aws_efs_file_system.shared.lifecycle_policy : policy.transition_to_ia == "AFTER_30_DAYS"])
    error_message = "What nobody reads moves to infrequent access."
  }
}

run "servers_stay_in_their_folder" {
  command = plan

  assert {
    condition     = one(aws_efs_access_point.servers.posix_user).uid == 1500 && one(aws_efs_access_point.servers.root_directory).path == "/shared"
    error_message = "One user, one folder, for every server."
  }

  assert {
    condition = alltrue([
      for refused in ["TlsOnly", "OnlyThroughTheAccessPoint"] : anytrue([
        for statement in data.aws_iam_policy_document.tls_through_the_access_point.statement : statement.sid == refused && statement.effect == "Deny"
      ])
    ])
    error_message = "Without TLS or past the access point: refused."
  }
}

run "root_may_not_own_the_files" {
  command = plan

  variables {
    owner_id = 0
  }

  expect_failures = [var.owner_id]
}

run "one_zone_is_not_enough" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}
