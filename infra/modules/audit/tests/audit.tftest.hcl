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

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::lyceum-audit-123456789012" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/audit" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-audit-delivery" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:lyceum-audit-alarms" }
  }
}

variables {
  alarm_email   = "operator@lyceum.example"
  watched_roles = ["arn:aws:iam::123456789012:role/lyceum-deployer"]
}

run "every_region_is_written_down_and_cannot_be_altered_unseen" {
  command = plan

  assert {
    condition = alltrue([
      aws_cloudtrail.this.is_multi_region_trail,
      aws_cloudtrail.this.include_global_service_events,
      aws_cloudtrail.this.enable_log_file_validation,
      aws_cloudtrail.this.kms_key_id == aws_kms_key.audit.arn,
    ])
    error_message = "All regions, validated, encrypted with our key."
  }

  assert {
    condition     = local.trail_arn == "arn:aws:cloudtrail:us-east-1:123456789012:trail/${aws_cloudtrail.this.name}"
    error_message = "The policies name the trail that is made."
  }

  assert {
    condition     = local.log_group_arn == aws_cloudwatch_log_group.this.arn
    error_message = "The policies name the log group that is made."
  }
}

run "the_bucket_is_private_kept_a_year_and_written_by_this_trail_only" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
      !aws_s3_bucket.this.force_destroy,
      aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled",
    ])
    error_message = "Nothing public, every version kept, never destroyed with its contents."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 365
    error_message = "A year."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.bucket.statement :
      anytrue([for c in statement.condition : c.variable == "aws:SourceArn" && c.values == tolist([local.trail_arn])])
      if statement.sid != "TlsOnly"
    ])
    error_message = "A trail of another account may not write here through the same service."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.bucket.statement :
      statement.effect == "Deny" && anytrue([for c in statement.condition : c.variable == "aws:SecureTransport"])
    ])
    error_message = "Whoever comes without TLS is refused."
  }
}

run "each_control_has_a_filter_and_an_alarm_that_somebody_hears" {
  command = plan

  assert {
    condition = keys(local.watches) == [
      "bucket-policy-changes", "iam-changes", "network-acl-changes", "root-use", "security-group-changes",
      "sign-in-failures", "trail-changes", "unauthorized-calls",
    ]
    error_message = "The eight controls."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.watch :
      alarm.metric_name == aws_cloudwatch_log_metric_filter.watch[name].metric_transformation[0].name
      && alarm.namespace == aws_cloudwatch_log_metric_filter.watch[name].metric_transformation[0].namespace
      && contains(alarm.alarm_actions, aws_sns_topic.alarms.arn)
    ])
    error_message = "An alarm looks at its filter's metric and tells the topic."
  }

  assert {
    condition     = alltrue([for filter in aws_cloudwatch_log_metric_filter.watch : length(filter.pattern) <= 1024])
    error_message = "CloudWatch takes 1,024 characters a pattern."
  }

  assert {
    condition = alltrue([
      for filter in aws_cloudwatch_log_metric_filter.watch :
      length(replace(filter.pattern, "/[^(]/", "")) == length(replace(filter.pattern, "/[^)]/", ""))
    ])
    error_message = "Every bracket of a pattern is closed."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.audit.arn
    error_message = "What the topic carries is encrypted with our key."
  }

  assert {
    condition     = aws_sns_topic_subscription.operator.endpoint == "operator@lyceum.example"
    error_message = "The operator hears."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.key.statement :
      statement.effect != "Deny" && contains(statement.actions, "kms:GenerateDataKey*")
      && anytrue([for p in statement.principals : contains(p.identifiers, "cloudwatch.amazonaws.com")])
    ])
    error_message = "Alarms may use the topic's key."
  }
}

run "who_is_watched_cannot_blind_the_watcher" {
  command = plan

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.key.statement :
      statement.effect == "Deny"
      && length(setsubtract(["kms:Disable*", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"], statement.actions)) == 0
      && anytrue([for c in statement.condition : c.variable == "aws:PrincipalArn" && c.values == tolist(var.watched_roles)])
    ])
    error_message = "The deployer may not take the trail's key away."
  }
}

run "an_empty_address_is_refused" {
  command = plan

  variables {
    alarm_email = ""
  }

  expect_failures = [var.alarm_email]
}

run "what_is_no_address_is_refused" {
  command = plan

  variables {
    alarm_email = "operator at lyceum"
  }

  expect_failures = [var.alarm_email]
}

run "a_retention_that_cloudwatch_does_not_know_is_refused" {
  command = plan

  variables {
    retention_days = 2
  }

  expect_failures = [var.retention_days]
}
