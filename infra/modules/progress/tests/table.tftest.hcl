mock_provider "aws" {}

variables {
  table_name = "lyceum-test-progress"
}

run "one_key_no_index_and_a_way_back" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk"
    error_message = "The platform's store expects pk and sk."
  }

  assert {
    condition     = length(aws_dynamodb_table.this.global_secondary_index) == 0 && length(aws_dynamodb_table.this.local_secondary_index) == 0
    error_message = "An index would be written by every report."
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "The table can be restored, and refuses to be destroyed."
  }
}

run "a_short_name_is_refused" {
  command = plan

  variables {
    table_name = "x"
  }

  expect_failures = [var.table_name]
}
