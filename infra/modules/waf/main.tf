# What the load balancer lets pass. Rules are asked in the order below; what none of them refuses goes on to a server.
resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is among its groups (rules.tf); checkov reads no dynamic block.

  name        = var.name
  description = "What may reach the platform"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # First, because it is the cheapest and counts what the others refuse, too.
  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        limit                 = var.rate_limit
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      metric_name                = "${var.name}-rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed_groups
    iterator = group

    content {
      name     = group.value.name
      priority = group.key + 1

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = group.value.group

          dynamic "rule_action_override" {
            for_each = group.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = "${var.name}-${group.value.name}"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  # After the groups, whose labels it reads: refuses what they only counted, except where large_body_paths allow it.
  rule {
    name     = "body"
    priority = length(local.managed_groups) + 1

    action {
      block {}
    }

    statement {
      and_statement {
        statement {
          or_statement {
            dynamic "statement" {
              for_each = local.body_labels

              content {
                label_match_statement {
                  scope = "LABEL"
                  key   = statement.value
                }
              }
            }
          }
        }

        statement {
          not_statement {
            statement {
              regex_match_statement {
                regex_string = local.large_body_regex

                field_to_match {
                  uri_path {}
                }

                # /teach/../accounts/ is no path below /teach/, however it is written.
                text_transformation {
                  priority = 0
                  type     = "URL_DECODE"
                }

                text_transformation {
                  priority = 1
                  type     = "NORMALIZE_PATH"
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "${var.name}-body"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  # Samples show whole requests, cookies included, to whoever may read metrics. The log tells the same, redacted.
  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "load_balancer" {
  web_acl_arn  = aws_wafv2_web_acl.this.arn
  resource_arn = var.load_balancer_arn
}
