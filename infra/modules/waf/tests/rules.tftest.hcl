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

  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/lyceum-test/11111111-2222-3333-4444-555555555555" }
  }
}

variables {
  name              = "lyceum-test"
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lyceum-test/0123456789abcdef"
  rate_limit        = 3000
  large_body_paths  = ["/manage/", "/api/v1.0/imports/"]
  log_group_arn     = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-lyceum-test"
}

# One run for all promises: this resource's schema is so large that each costs seconds.
run "what_reaches_the_platform_and_what_the_log_tells_of_it" {
  command = plan

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.priority => rule.name
      } == {
      0 = "rate", 1 = "ip-reputation", 2 = "common", 3 = "known-bad-inputs", 4 = "sql-injection", 5 = "body"
    }
    error_message = "The rate first; the rule about bodies after the groups whose labels it reads."
  }

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule : alltrue([
        one(one(rule.statement).rate_based_statement).limit == 3000,
        one(one(rule.statement).rate_based_statement).evaluation_window_sec == 300,
        one(one(rule.statement).rate_based_statement).aggregate_key_type == "IP",
        length(one(rule.action).block) == 1,
      ]) if rule.name == "rate"
    ])
    error_message = "3,000 requests an address in five minutes, then blocked."
  }

  assert {
    condition = toset([
      for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).managed_rule_group_statement).name
      if contains(["ip-reputation", "common", "known-bad-inputs", "sql-injection"], rule.name)
      ]) == toset([
      "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
      "AWSManagedRulesSQLiRuleSet",
    ])
    error_message = "The four groups."
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(one(rule.override_action).none) == 1 if length(rule.override_action) > 0])
    error_message = "No group only counts as a whole."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.load_balancer.resource_arn == var.load_balancer_arn
    error_message = "It stands before the load balancer."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for override in one(one(rule.statement).managed_rule_group_statement).rule_action_override : override.name
      ] if contains(["common", "known-bad-inputs", "ip-reputation", "sql-injection"], rule.name)
      ])) == toset([
      "SizeRestrictions_BODY", "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY",
      "SQLi_BODY", "SQLiExtendedPatterns_BODY",
    ])
    error_message = "Rules about bodies only count, and no other rule does."
  }

  # A rule that counts here without its label there would be a hole everywhere.
  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for override in one(one(rule.statement).managed_rule_group_statement).rule_action_override : lower(override.name)
      ] if contains(["common", "known-bad-inputs", "ip-reputation", "sql-injection"], rule.name)
    ])) == toset([for label in local.body_labels : lower(element(split(":", label), 4))])
    error_message = "Each rule that only counts has its label in the rule about bodies."
  }

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule : alltrue([
        length(one(rule.action).block) == 1,
        length(one(one(rule.statement).and_statement).statement) == 2,
        toset([
          for match in one(one(one(rule.statement).and_statement).statement[0].or_statement).statement : one(match.label_match_statement).key
        ]) == toset(local.body_labels),
        one(one(one(one(one(rule.statement).and_statement).statement[1].not_statement).statement).regex_match_statement).regex_string == local.large_body_regex,
      ]) if rule.name == "body"
    ])
    error_message = "Blocked: any of the labels, and not a path where lessons are written."
  }

  assert {
    condition = [
      for path in [
        "/manage/courses/lesson/1/change/", "/api/v1.0/imports/", "/manage", "/accounts/login/", "/x/manage/", "/", "/api/v1x0/imports/",
      ] : can(regex(local.large_body_regex, path))
    ] == [true, true, false, false, false, false, false]
    error_message = "Only what begins with one of the paths, and a dot in it is a dot."
  }

  assert {
    condition     = length(local.large_body_regex) <= 512
    error_message = "AWS takes 512 characters a pattern."
  }

  assert {
    condition = toset([
      for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(field.single_header).name
    ]) == toset(["authorization", "cookie"])
    error_message = "Neither tokens nor sessions."
  }

  assert {
    condition = alltrue(concat(
      [!one(aws_wafv2_web_acl.this.visibility_config).sampled_requests_enabled],
      [for rule in aws_wafv2_web_acl.this.rule : !one(rule.visibility_config).sampled_requests_enabled],
    ))
    error_message = "Samples are not redacted: there are none."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.delivery.statement : alltrue([
        one(statement.principals).identifiers == toset(["delivery.logs.amazonaws.com"]),
        tolist(statement.resources) == tolist(["${var.log_group_arn}:*"]),
        anytrue([for c in statement.condition : c.variable == "aws:SourceAccount" && c.values == tolist(["123456789012"])]),
      ])
    ])
    error_message = "Written by AWS's delivery, in this account's name, into this group."
  }

  assert {
    condition = [
      for path in ["/manage/", "/api/v1.0/imports/", "/", "//", "", "/manage", "manage/", "/manage/|.*/", "/manage/.*/", "/(manage)/"] :
      can(regex(local.path_pattern, path))
    ] == [true, true, false, false, false, false, false, false, false, false]
    error_message = "A path is a path and no pattern, and never all paths."
  }
}

run "what_waf_cannot_do_and_what_would_open_everything_is_refused" {
  command = plan

  variables {
    log_group_arn    = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/waf"
    rate_limit       = 10
    large_body_paths = ["/manage/", "/"]
  }

  expect_failures = [var.log_group_arn, var.rate_limit, var.large_body_paths]
}

run "no_path_and_a_log_groups_arn_for_policies_are_refused" {
  command = plan

  variables {
    log_group_arn    = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-lyceum-test:*"
    large_body_paths = []
  }

  expect_failures = [var.log_group_arn, var.large_body_paths]
}
