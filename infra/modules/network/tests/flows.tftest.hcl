# What is derived from the table of flows, without an account.
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

  roles = {
    load_balancer = { tier = "public" }
    server        = { tier = "app" }
    database      = { tier = "data" }
    bastion       = { tier = "management" }
  }

  flows = [
    { from = "internet", to = "load_balancer", port = 443, why = "learners" },
    { from = "load_balancer", to = "server", port = 8000, why = "requests" },
    { from = "server", to = "database", port = 5432, why = "student data" },
    { from = "server", to = "internet", port = 443, why = "AWS" },
  ]
}

run "four_tiers_groups_and_replies_follow_from_the_table" {
  command = plan

  assert {
    condition     = output.tier_cidrs == { public = "10.20.0.0/20", app = "10.20.16.0/20", data = "10.20.32.0/20", management = "10.20.48.0/20" }
    error_message = "Each tier has a block of its own."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.tier : !subnet.map_public_ip_on_launch])
    error_message = "No subnet hands out public addresses."
  }

  assert {
    condition     = alltrue([for key in keys(aws_route.nat) : !startswith(key, "data-")])
    error_message = "The data tier has no way out."
  }

  assert {
    condition     = length([for rule in aws_vpc_security_group_ingress_rule.flow : rule if rule.from_port == 5432]) == 1
    error_message = "Only the server reaches the database here."
  }

  assert {
    condition     = length([for rule in aws_vpc_security_group_ingress_rule.flow : rule if rule.cidr_ipv4 != null]) == 1
    error_message = "Only the load balancer is open to the internet."
  }

  assert {
    condition     = output.acl_rules["data-out-app-tcp-32768-60999"].action == "allow"
    error_message = "The database's replies reach the app tier."
  }

  assert {
    condition     = output.acl_rules["app-in-data-tcp-32768-60999"].cidr == "10.20.32.0/20"
    error_message = "The app tier lets the database's replies in, and from the data tier alone."
  }

  assert {
    condition     = output.acl_rules["public-in-0.0.0.0/0-tcp-1024-65535"].number > output.acl_rules["public-in-deny-vpc"].number
    error_message = "The broad allow comes after the deny of the VPC's own range."
  }

  assert {
    condition     = alltrue([for rule in values(output.acl_rules) : rule.number < 500 if rule.action == "allow" && rule.cidr != "0.0.0.0/0"])
    error_message = "What flows within the VPC comes before the deny of its range."
  }

  assert {
    condition     = !anytrue([for key, rule in output.acl_rules : startswith(key, "data-") && rule.cidr == "0.0.0.0/0"])
    error_message = "The data tier talks to nobody outside."
  }

  assert {
    condition     = !anytrue([for key, rule in output.acl_rules : startswith(key, "management-") && rule.action == "allow"])
    error_message = "A tier without a flow has no allow."
  }
}

run "a_flow_at_the_end_renumbers_nothing_and_each_zone_may_have_its_gateway" {
  command = plan

  variables {
    nat = "per_zone"
    flows = [
      { from = "internet", to = "load_balancer", port = 443, why = "learners" },
      { from = "load_balancer", to = "server", port = 8000, why = "requests" },
      { from = "server", to = "database", port = 5432, why = "student data" },
      { from = "server", to = "internet", port = 443, why = "AWS" },
      { from = "bastion", to = "database", port = 5432, why = "operators" },
    ]
  }

  # What the four flows before it have: the run above says the same without the fifth.
  assert {
    condition     = output.acl_rules["data-in-app-tcp-5432-5432"].number == 100 && output.acl_rules["data-in-management-tcp-5432-5432"].number == 110
    error_message = "A new flow's rules come after the others."
  }

  assert {
    condition     = length(aws_network_acl.tier["data"].ingress) == 3 && length(aws_network_acl.tier["data"].egress) == 3
    error_message = "Two askers and the deny, in each direction."
  }

  assert {
    condition     = toset(keys(aws_nat_gateway.zone)) == toset(["us-east-1a", "us-east-1b"])
    error_message = "A gateway in each zone."
  }
}
