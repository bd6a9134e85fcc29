# Peers outside the VPC: range by range, in groups and ACLs alike.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = {
      name = "us-east-1"
    }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name  = "lyceum-test"
  cidr  = "10.20.0.0/16"
  zones = ["us-east-1a", "us-east-1b"]
  nat   = "one"

  needed_without_nat       = []
  flow_log                 = { group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/flow" }
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"

  outsiders = {
    internet = ["0.0.0.0/0"]
    visitors = ["198.51.100.0/24", "203.0.113.7/32"]
  }

  roles = {
    load_balancer = { tier = "public" }
    server        = { tier = "app" }
    database      = { tier = "data" }
    bastion       = { tier = "management" }
  }

  flows = [
    { from = "visitors", to = "load_balancer", port = 80, why = "operators try it out" },
    { from = "load_balancer", to = "server", port = 8000, why = "requests" },
    { from = "server", to = "database", port = 5432, why = "student data" },
    { from = "server", to = "internet", port = 443, why = "AWS" },
  ]
}

run "only_the_named_ranges_reach_the_load_balancer_and_all_is_logged" {
  command = plan

  assert {
    condition     = sort([for rule in aws_vpc_security_group_ingress_rule.flow : coalesce(rule.cidr_ipv4) if rule.cidr_ipv4 != null]) == tolist(["198.51.100.0/24", "203.0.113.7/32"])
    error_message = "A rule of the group for each range, and none for everyone."
  }

  assert {
    condition = alltrue([for range in ["198.51.100.0/24", "203.0.113.7/32"] :
      output.acl_rules["public-in-${range}-tcp-80-80"].number >= 600
      && output.acl_rules["public-out-${range}-tcp-1024-65535"].cidr == range
    ])
    error_message = "The ACL lets each range in, after the deny of the VPC's own, and the replies out."
  }

  # Ephemeral ports of everyone stay open for what NAT asks for; the groups are what closes them.
  assert {
    condition     = sort([for rule in values(output.acl_rules) : rule.from if rule.tier == "public" && !rule.egress && rule.cidr == "0.0.0.0/0"]) == sort([1024])
    error_message = "From everyone come only replies to NAT."
  }

  assert {
    condition     = output.acl_rule_counts.public == { in = 6, out = 6 }
    error_message = "As few rules as that takes: got ${jsonencode(output.acl_rule_counts)}."
  }

  assert {
    condition = alltrue([for tier in ["public", "app", "data", "management"] : alltrue([for egress in [true, false] :
      length(distinct([for r in values(output.acl_rules) : r.number if r.tier == tier && r.egress == egress])) == length([for r in values(output.acl_rules) : r if r.tier == tier && r.egress == egress])
    ])])
    error_message = "A number is used once in a direction of a list."
  }

  assert {
    condition     = aws_flow_log.vpc.log_destination == "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/flow" && aws_flow_log.vpc.traffic_type == "ALL" && aws_flow_log.vpc.max_aggregation_interval == 600
    error_message = "All traffic, into the group that was given, in the cheaper interval."
  }

  assert {
    condition     = aws_iam_role.flow_log.name == "lyceum-test-flow-logs" && aws_iam_role.flow_log.permissions_boundary == "arn:aws:iam::123456789012:policy/lyceum-boundary"
    error_message = "Named by its environment, and within the boundary."
  }
}

run "two_names_for_everyone_share_their_rules" {
  command = plan

  variables {
    outsiders = { internet = ["0.0.0.0/0"], visitors = ["0.0.0.0/0"] }
  }

  assert {
    condition     = output.acl_rules["public-in-0.0.0.0/0-tcp-80-80"].action == "allow" && output.acl_rule_counts.public == { in = 5, out = 5 }
    error_message = "With a domain visitors are everyone, and the list holds each rule once: got ${jsonencode(output.acl_rule_counts)}."
  }
}
