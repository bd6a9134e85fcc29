# The ways to AWS that need no internet, and what goes without NAT.
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

# The ids by which the plan tells one subnet, table or group from another.
override_resource {
  target          = aws_subnet.tier["management-us-east-1a"]
  override_during = plan
  values          = { id = "subnet-1" }
}

override_resource {
  target          = aws_subnet.tier["management-us-east-1b"]
  override_during = plan
  values          = { id = "subnet-2" }
}

override_resource {
  target          = aws_route_table.private["app-us-east-1a"]
  override_during = plan
  values          = { id = "rtb-app-a" }
}

override_resource {
  target          = aws_route_table.private["app-us-east-1b"]
  override_during = plan
  values          = { id = "rtb-app-b" }
}

override_resource {
  target          = aws_route_table.private["management-us-east-1a"]
  override_during = plan
  values          = { id = "rtb-management-a" }
}

override_resource {
  target          = aws_route_table.private["management-us-east-1b"]
  override_during = plan
  values          = { id = "rtb-management-b" }
}

override_resource {
  target          = aws_security_group.role["endpoints"]
  override_during = plan
  values          = { id = "sg-endpoints" }
}

run "in_both_zones_of_the_management_tier" {
  command = plan

  assert {
    condition     = [for endpoint in values(aws_vpc_endpoint.interface) : endpoint.service_name] == ["com.amazonaws.us-east-1.logs", "com.amazonaws.us-east-1.ssm"]
    error_message = "An endpoint for each service that was asked for."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.subnet_ids == toset(["subnet-1", "subnet-2"])])
    error_message = "In the management subnets, both of them."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.security_group_ids == toset(["sg-endpoints"])])
    error_message = "AWS's own names lead to them, and only the endpoints' group guards them."
  }

  assert {
    condition = [for condition in one(data.aws_iam_policy_document.own_principals.statement).condition : "${condition.variable}=${one(condition.values)}"] == [
      "aws:PrincipalAccount=123456789012"
    ] && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.policy == data.aws_iam_policy_document.own_principals.json])
    error_message = "Only this account's principals pass."
  }

  # Across zones the tier talks to itself, which its ACL sees.
  assert {
    condition = alltrue([
      for key in ["management-in-app-tcp-443-443", "management-out-app-tcp-32768-60999", "app-out-management-tcp-443-443", "management-in-management-tcp-443-443", "management-out-management-tcp-443-443"] :
      output.acl_rules[key].action == "allow" && output.acl_rules[key].number < 500
    ])
    error_message = "The way to the endpoints is open in the ACLs of both tiers."
  }

  assert {
    condition     = alltrue([for gateway in aws_vpc_endpoint.gateway : gateway.route_table_ids == toset(["rtb-app-a", "rtb-app-b", "rtb-management-a", "rtb-management-b"])])
    error_message = "The gateways serve the app and management tiers; the data tier has no way to S3 or DynamoDB."
  }

  # What passes the gateways.

  assert {
    condition = alltrue([for statement in data.aws_iam_policy_document.s3_endpoint.statement :
    statement.sid == "AmazonLinuxPackages" || statement.resources == toset(["arn:aws:s3:::lyceum-test-*"])])
    error_message = "This environment's buckets."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.s3_endpoint.statement : sort([for c in statement.condition : "${c.variable}=${one(c.values)}"]) if statement.sid == "OwnBuckets"]) == jsonencode([
      ["aws:PrincipalAccount=123456789012", "aws:ResourceAccount=123456789012"]
    ])
    error_message = "This account's principals, and buckets that are this account's and not only named so."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.s3_endpoint.statement : [statement.actions, statement.resources] if length(statement.condition) == 0]) == jsonencode([
      [["s3:GetObject"], ["arn:aws:s3:::al2023-repos-us-east-1-de612dc2/*"]]
    ])
    error_message = "Without signature only Amazon Linux's packages, and only to read."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.dynamodb_endpoint.statement).resources == toset(["arn:aws:dynamodb:us-east-1:123456789012:table/lyceum-test-*"])
    error_message = "This environment's tables."
  }
}

run "without_nat_when_every_endpoint_is_there_and_in_one_zone_for_half_the_price" {
  command = plan

  variables {
    nat                      = "none"
    interface_endpoint_zones = "one"
  }

  assert {
    condition     = length(aws_nat_gateway.zone) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "No gateway, no address, no route."
  }

  assert {
    condition     = !contains(keys(output.acl_rules), "public-in-app-tcp-443-443")
    error_message = "Nothing of the app tier's goes through the public tier."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 2 && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.subnet_ids == toset(["subnet-1"])])
    error_message = "Endpoints in its place, in the first zone's management subnet."
  }
}
