# Who may talk to whom, once. Security groups and the network ACLs of all four tiers are derived from this table,
# return traffic included, so that neither can be forgotten and the two cannot drift apart.
locals {
  # Each role is a security group in one tier.
  roles = merge({
    load_balancer = { tier = "public" }
    server        = { tier = "app" }
    database      = { tier = "data" }
    files         = { tier = "data" }
    bastion       = { tier = "management" }
    jobs          = { tier = "management" }
  }, local.with_endpoints ? { endpoints = { tier = "management" } } : {})

  # Who is outside. Without a domain there is no certificate, and what goes unencrypted is for the operators' eyes only.
  outsiders = {
    internet = ["0.0.0.0/0"]
    visitors = var.domain == null ? var.operator_cidrs : ["0.0.0.0/0"]
  }

  # A new flow goes to the end of its list: what follows it in an ACL gets another number.
  flows = concat(
    var.domain == null ? [
      { from = "visitors", to = "load_balancer", port = 80, why = "operators try the platform without a domain" },
      ] : [
      { from = "visitors", to = "load_balancer", port = 443, why = "learners reach the platform" },
      { from = "visitors", to = "load_balancer", port = 80, why = "answered with a redirect to 443" },
    ],
    [
      { from = "load_balancer", to = "server", port = 8000, why = "requests and health checks" },
      { from = "server", to = "database", port = 5432, why = "student data" },
      { from = "server", to = "files", port = 2049, why = "files shared among students" },
      { from = "bastion", to = "database", port = 5432, why = "an operator's port forward through Session Manager" },
      { from = "jobs", to = "database", port = 5432, why = "migrations and checks" },
      { from = "server", to = "internet", port = 443, why = "AWS's endpoints and package mirrors, through NAT or a gateway" },
      { from = "jobs", to = "internet", port = 443, why = "AWS's endpoints, through NAT or a gateway" },
    ],
    # With endpoints of its own, Session Manager is the only thing that the bastion reaches.
    local.bastion_by_endpoint ? [] : [
      { from = "bastion", to = "internet", port = 443, why = "Session Manager" },
    ],
    local.with_endpoints ? [
      { from = "server", to = "endpoints", port = 443, why = "AWS's services without the internet" },
      { from = "jobs", to = "endpoints", port = 443, why = "AWS's services without the internet" },
      { from = "bastion", to = "endpoints", port = 443, why = "Session Manager without the internet" },
    ] : [],
  )
}

# Where there is no NAT gateway, each of these needs an interface endpoint. S3 and DynamoDB always have gateways.
# ec2messages is not among them: since version 3.3.40 the agent of Systems Manager uses ssmmessages in its place.
locals {
  endpoint_services = {
    email          = "the platform's mail, which only a domain of its own can send"
    kms            = "keys that what runs here uses itself, as Session Manager's agent does"
    logs           = "the logs of servers, jobs and sessions"
    monitoring     = "the memory metric by which the group scales"
    secretsmanager = "the database's password"
    ssm            = "Session Manager knows its instances"
    ssmmessages    = "Session Manager's sessions"
    sts            = "jobs ask who they are"
  }

  needed_without_nat = toset([for service in keys(local.endpoint_services) : service if service != "email" || var.domain != null])

  with_endpoints      = length(var.interface_endpoints) > 0
  bastion_by_endpoint = length(setsubtract(["kms", "logs", "ssm", "ssmmessages"], var.interface_endpoints)) == 0
}
