# What is refused. A run takes one bad value of each of several variables: each of those named must refuse its own.
mock_provider "aws" {
  override_during = plan

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

  needed_without_nat       = ["logs", "ssm"]
  interface_endpoints      = ["logs", "ssm"]
  flow_log                 = { group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/flow" }
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"

  roles = {
    load_balancer = { tier = "public" }
    server        = { tier = "app" }
    database      = { tier = "data" }
    bastion       = { tier = "management" }
    endpoints     = { tier = "management" }
  }

  flows = [
    { from = "internet", to = "load_balancer", port = 443, why = "learners" },
    { from = "load_balancer", to = "server", port = 8000, why = "requests" },
    { from = "server", to = "database", port = 5432, why = "student data" },
    { from = "server", to = "internet", port = 443, why = "S3 and DynamoDB" },
    { from = "server", to = "endpoints", port = 443, why = "AWS" },
    { from = "bastion", to = "endpoints", port = 443, why = "Session Manager" },
  ]
}

run "an_unknown_role_an_unknown_nat_and_another_kind_of_traffic" {
  command = plan

  variables {
    flows    = [{ from = "server", to = "databse", port = 5432, why = "a slip of the pen" }]
    nat      = "two"
    flow_log = { group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/flow", traffic = "accept" }
  }

  expect_failures = [var.flows, var.nat, var.flow_log]
}

run "an_impossible_port_no_way_out_and_another_interval" {
  command = plan

  variables {
    flows               = [{ from = "internet", to = "server", port = 70000, why = "no such port" }]
    nat                 = "none"
    interface_endpoints = ["logs"]
    flow_log            = { group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/flow", interval_seconds = 300 }
  }

  expect_failures = [var.flows, var.nat, var.flow_log]
}

run "the_same_flow_twice_and_a_gateway_as_an_interface" {
  command = plan

  variables {
    flows               = [for why in ["one", "two"] : { from = "server", to = "database", port = 5432, why = why }]
    interface_endpoints = ["logs", "ssm", "s3"]
  }

  expect_failures = [var.flows, var.interface_endpoints]
}

run "a_flow_from_outside_to_outside_and_endpoints_without_their_role" {
  command = plan

  variables {
    flows = [{ from = "internet", to = "internet", port = 443, why = "none of ours" }]
    roles = { server = { tier = "app" } }
  }

  expect_failures = [var.flows, var.interface_endpoints]
}

run "a_sixth_range_and_the_same_zone_twice" {
  command = plan

  variables {
    outsiders = { internet = ["0.0.0.0/0"], visitors = [for n in range(6) : "203.0.113.${n}/32"] }
    zones     = ["us-east-1a", "us-east-1a"]
  }

  expect_failures = [var.outsiders, var.zones]
}

run "a_range_inside_the_vpc_and_another_number_of_zones" {
  command = plan

  variables {
    outsiders                = { internet = ["0.0.0.0/0"], visitors = ["10.20.48.0/24"] }
    interface_endpoint_zones = "two"
  }

  expect_failures = [var.outsiders, var.interface_endpoint_zones]
}

run "a_range_that_aws_would_rewrite" {
  command = plan

  variables {
    outsiders = { internet = ["0.0.0.0/0"], visitors = ["203.0.113.7/24"] }
  }

  expect_failures = [var.outsiders]
}

run "an_outsider_named_as_a_tier" {
  command = plan

  variables {
    outsiders = { internet = ["0.0.0.0/0"], public = ["198.51.100.0/24"] }
  }

  expect_failures = [var.outsiders]
}

run "a_vpc_too_small_for_four_tiers" {
  command = plan

  variables {
    cidr = "10.20.0.0/24"
  }

  expect_failures = [var.cidr]
}

# Terraform names the tier: the list that is too long is its own.
run "more_rules_than_aws_allows" {
  command = plan

  variables {
    flows = [for port in range(5000, 5019) : { from = "server", to = "database", port = port, why = "too many" }]
  }

  expect_failures = [aws_network_acl.tier]
}
