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

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:lyceum-test-alarms" }
  }

  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:lyceum-test-any" }
  }
}

variables {
  name                     = "lyceum-test"
  alarm_email              = "operator@lyceum.example"
  load_balancer_arn_suffix = "app/lyceum-test/0123456789abcdef"
  target_group_arn_suffix  = "targetgroup/lyceum-test/0123456789abcdef"
  group_name               = "lyceum-test-servers"
  group_max                = 2
  metrics_namespace        = "Lyceum/test"
  application_log_group    = "/lyceum/test/application"
  database_identifier      = "lyceum-test-database"
  table_name               = "lyceum-test-progress"
  file_system_id           = "fs-0123456789abcdef0"
  backup_vault_name        = "lyceum-test-backup"
  purge_function_name      = "lyceum-test-purge-logs"
  canary                   = { function_name = "lyceum-test-canary" }
  certificate              = { arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
}

run "what_rings" {
  command = plan

  assert {
    condition = keys(aws_cloudwatch_metric_alarm.this) == [
      "application-errors", "backup-failed", "balancer-errors", "canary-missing", "certificate-expiry", "cpu-credits",
      "database-connections", "database-cpu", "database-memory", "database-storage", "files-io", "group-at-max",
      "latency", "no-healthy-server", "pages-fast-burn", "pages-slow-burn", "progress-errors", "progress-fast-burn",
      "progress-slow-burn", "progress-throttles", "purge-failed", "purge-missing",
      "release-errors", "release-memory", "server-disk", "server-memory", "target-errors", "unhealthy-servers",
    ]
    error_message = "Every alarm, by the name of its page."
  }

  assert {
    condition     = [for name, alarm in output.alarms : name if alarm.severity == "wake"] == ["database-storage", "no-healthy-server", "pages-fast-burn", "progress-fast-burn", "target-errors"]
    error_message = "Few wake anybody."
  }

  assert {
    condition     = alltrue([for told in local.alarms : contains(["wake", "look", "release"], told.severity) && contains(local.rows, told.row) && length(told.why) > 40])
    error_message = "Each alarm has a severity, a row of the dashboard, and a reason for its threshold."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      alarm.alarm_name == "lyceum-test-${name}"
      && startswith(alarm.alarm_description, "${local.alarms[name].severity}: ")
      && strcontains(alarm.alarm_description, "docs/runbook/${name}.md")
      && length(alarm.alarm_description) <= 1024
    ])
    error_message = "A description says the severity, what it means, and where the page is."
  }
}

run "somebody_hears" {
  command = plan

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      length(coalesce(alarm.alarm_actions, [])) == 0 if local.alarms[name].severity == "release"
      ]) && alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) if local.alarms[name].severity != "release"
    ])
    error_message = "Every alarm tells the topic, but those that a release alone looks at."
  }

  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.this : (length(alarm.ok_actions) == 1) == (local.alarms[name].severity == "wake")])
    error_message = "Whoever was woken hears that it is over."
  }

  assert {
    condition     = aws_sns_topic_subscription.operator.endpoint == "operator@lyceum.example" && aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.alarms.arn
    error_message = "The operator hears, through an encrypted topic."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.key.statement :
      length(setsubtract(["kms:Decrypt", "kms:GenerateDataKey*"], statement.actions)) == 0
      && anytrue([for p in statement.principals : p.identifiers == toset(["cloudwatch.amazonaws.com"])])
      && anytrue([for c in statement.condition : c.variable == "aws:SourceAccount"])
    ])
    error_message = "Alarms may use the topic's key, those of this account only."
  }
}

run "an_alarm_watches_one_metric_or_one_expression" {
  command = plan

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      local.alarms[name].expression != null || (length(local.alarms[name].metrics) == 1 && alarm.metric_name != null && length(alarm.metric_query) == 0)
    ])
    error_message = "Of several metrics an expression says what is watched."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      local.alarms[name].expression == null || (alarm.metric_name == null && length([for query in alarm.metric_query : query if query.return_data]) == 1)
    ])
    error_message = "Exactly one query gives the value."
  }

  # CloudWatch takes ids that begin with a small letter, and every id has to be there.
  assert {
    condition = alltrue(flatten([
      for told in local.alarms : told.expression == null ? [] : [
        for id in keys(told.metrics) : can(regex("^[a-z][a-zA-Z0-9_]*$", id)) && strcontains(told.expression, id)
      ]
    ]))
    error_message = "An expression uses each of its metrics by an id that CloudWatch takes."
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.this["latency"].metric_query : one(query.metric).stat if query.id == "latency"] == ["p95"]
    error_message = "Latency is a percentile."
  }

  # CloudWatch refuses an alarm that looks back further than a day.
  assert {
    condition     = alltrue([for told in local.alarms : told.period * told.periods <= 86400 && told.period % 60 == 0 && told.datapoints <= told.periods])
    error_message = "Periods are whole minutes and reach back a day at most."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data == "breaching"] == ["canary-missing", "no-healthy-server", "purge-missing"]
    error_message = "Silence rings where it is the fault itself."
  }

  assert {
    condition = (
      one(aws_cloudwatch_log_metric_filter.application_errors.metric_transformation).name == aws_cloudwatch_metric_alarm.this["application-errors"].metric_name
      && one(aws_cloudwatch_log_metric_filter.application_errors.metric_transformation).namespace == aws_cloudwatch_metric_alarm.this["application-errors"].namespace
    )
    error_message = "The alarm looks at the filter's metric."
  }
}

run "a_release_is_judged_by_one_minute" {
  command = plan

  assert {
    condition     = [for name, told in local.alarms : name if told.severity == "release"] == ["release-errors", "release-memory"]
    error_message = "What a server of a bad release does to requests, and to itself."
  }

  # The release tool goes on watching for three minutes when the last server has come (BAKE_SECONDS): one that has
  # begun, the bad one, and one until it is told.
  assert {
    condition     = alltrue([for told in local.alarms : told.period == 60 && told.periods == 1 && told.datapoints == 1 && told.missing == "notBreaching" if told.severity == "release"])
    error_message = "Decided within the time that a release is watched."
  }
}

run "the_dashboard_shows_every_alarm_once" {
  command = plan

  assert {
    condition = jsonencode(sort([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : split(" ", widget.properties.title)[0] if widget.type == "metric"
    ])) == jsonencode(keys(local.alarms))
    error_message = "A picture an alarm."
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Objectives", "## Requests", "## Servers", "## Database", "## Stores", "## Upkeep"]
    error_message = "Row by row in the order of a request's way."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      widget.properties.annotations.horizontal[0].value == local.alarms[split(" ", widget.properties.title)[0]].threshold if widget.type == "metric"
    ])
    error_message = "Each picture shows where its alarm rings."
  }
}

run "without_a_domain_no_certificate_can_end" {
  command = plan

  variables {
    certificate = null
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "certificate-expiry") && length(aws_cloudwatch_metric_alarm.this) == 27
    error_message = "One alarm less, and no other."
  }
}

run "without_a_canary_pages_are_not_promised" {
  command = plan

  variables {
    canary = null
  }

  assert {
    condition     = [for name, told in local.alarms : name if told.row == "objectives"] == ["progress-fast-burn", "progress-slow-burn"]
    error_message = "What is not measured rings nothing; progress is counted by the platform itself."
  }
}

run "alarms_follow_from_the_objectives" {
  command = plan

  assert {
    condition     = alltrue([for told in local.objectives : length(told.promise) > 40 && length(told.why) > 40]) && local.objective_days == 28
    error_message = "An objective says what is promised, over how long, and why so much."
  }

  # By hand: half a percent of an hour is 0.3 minutes, 14.4 times that 4.3; of a day 7.2, and 2.8 times that 20.2.
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["pages-fast-burn"].datapoints_to_alarm == 5
      && aws_cloudwatch_metric_alarm.this["pages-fast-burn"].evaluation_periods == 10
      && aws_cloudwatch_metric_alarm.this["pages-slow-burn"].threshold == 21
    )
    error_message = "Five minutes of ten wake somebody, twenty-one of a day are looked at."
  }

  # A thousandth, 14.4 times, of twelve periods, in two; and 2.8 times.
  assert {
    condition = (
      abs(aws_cloudwatch_metric_alarm.this["progress-fast-burn"].threshold - 8.64) < 0.0001
      && abs(aws_cloudwatch_metric_alarm.this["progress-slow-burn"].threshold - 0.28) < 0.0001
    )
    error_message = "Of a hundred reports nine, twice; of a day's thousand three."
  }

  # Met each minute of a day, a share of the objective's four weeks: a tenth of it.
  assert {
    condition     = abs(local.burning["pages-slow-burn"] / (local.objective_days * 1440 * local.budget.pages) - 0.1) < 0.005
    error_message = "The slow rate is a tenth of the budget a day."
  }

  assert {
    condition = alltrue([
      for outcome, counted in aws_cloudwatch_log_metric_filter.progress :
      one(counted.metric_transformation).name == "progress-reports-${outcome}"
      && one(counted.metric_transformation).namespace == "Lyceum/test"
      && counted.log_group_name == var.application_log_group
    ])
    error_message = "The alarms look at what the filters count."
  }
}

run "of_one_server_at_most_the_largest_is_no_news" {
  command = plan

  variables {
    group_max = 1
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "group-at-max")
    error_message = "The group is always at one."
  }
}

run "a_threshold_can_be_changed_alone" {
  command = plan

  variables {
    thresholds = { database_free_storage_gib = 5 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database-storage"].threshold == 5368709120 && aws_cloudwatch_metric_alarm.this["target-errors"].threshold == 5
    error_message = "Five GiB in bytes, and all else as it was."
  }
}

run "bad_input_is_refused_by_name" {
  command = plan

  variables {
    name              = "Lyceum"
    alarm_email       = ""
    group_max         = 0
    metrics_namespace = "AWS/EC2"
    thresholds        = { memory_percent = 101 }
  }

  expect_failures = [var.name, var.alarm_email, var.group_max, var.metrics_namespace, var.thresholds]
}
