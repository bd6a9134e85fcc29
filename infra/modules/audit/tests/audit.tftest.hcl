mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  alarm_email   = "operator@lyceum.example"
  watched_roles = ["arn:aws:iam::123456789012:role/lyceum-deployer"]
  deployers = [
    "arn:aws:sts::123456789012:assumed-role/lyceum-deployer/*",
    "arn:aws:sts::123456789012:assumed-role/lyceum-pipeline-apply/*",
  ]
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

  override_data {
    target = data.aws_iam_policy_document.bucket
    values = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OfTheTrail\"}]}" }
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "Never destroyed with its contents."
  }

  # That it is private, versioned and TLS only is tested where it is made: modules/private-bucket.
  assert {
    condition = (
      module.private.promises.kms_key_arn == aws_kms_key.audit.arn
      && module.private.promises.expiration_days == 365
      && module.private.promises.noncurrent_days == 30
    )
    error_message = "Encrypted with our key, a year, and a month more for what was deleted before its time."
  }

  assert {
    condition     = tolist(module.private.promises.policy_documents) == tolist([data.aws_iam_policy_document.bucket.json])
    error_message = "The bucket's policy lets the trail write."
  }

  assert {
    condition     = aws_cloudtrail.this.s3_bucket_name == module.private.id
    error_message = "The trail waits for the bucket's policy: CloudTrail tries it out."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.bucket.statement :
      anytrue([for c in statement.condition : c.variable == "aws:SourceArn" && c.values == tolist([local.trail_arn])])
    ])
    error_message = "A trail of another account may not write here through the same service."
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

# What the patterns find is tried on events: ./lyceum test audit.
run "only_what_an_apply_changes_leaves_the_deployers_out" {
  command = plan

  assert {
    condition = sort([
      for name, filter in aws_cloudwatch_log_metric_filter.watch : name if strcontains(filter.pattern, "lyceum-deployer")
    ]) == tolist(["bucket-policy-changes", "iam-changes", "network-acl-changes", "security-group-changes"])
    error_message = "Nobody is left out of what no apply does."
  }
}

run "without_deployers_nobody_is_left_out" {
  command = plan

  variables {
    deployers = []
  }

  assert {
    condition     = !anytrue([for filter in aws_cloudwatch_log_metric_filter.watch : strcontains(filter.pattern, "terraform")])
    error_message = "Nobody deploys, nobody is left out."
  }
}

run "a_deployer_that_stands_for_several_roles_is_refused" {
  command = plan

  variables {
    deployers = ["arn:aws:sts::123456789012:assumed-role/*/*"]
  }

  expect_failures = [var.deployers]
}
