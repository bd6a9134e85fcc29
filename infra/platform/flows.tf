# Who may talk to whom, once. Security groups and the network ACLs of all four tiers are derived from this table,
# return traffic included, so that neither can be forgotten and the two cannot drift apart.
locals {
  # Each role is a security group in one tier. `ephemeral` is the range from which its clients open connections.
  roles = {
    load_balancer = { tier = "public" }
    server        = { tier = "app" }
    database      = { tier = "data" }
    files         = { tier = "data" }
    bastion       = { tier = "management" }
    jobs          = { tier = "management" }
  }

  flows = [
    { from = "internet", to = "load_balancer", port = 443, why = "learners reach the platform" },
    { from = "internet", to = "load_balancer", port = 80, why = "answered with a redirect to 443" },
    { from = "load_balancer", to = "server", port = 8000, why = "requests and health checks" },
    { from = "server", to = "database", port = 5432, why = "student data" },
    { from = "server", to = "files", port = 2049, why = "files shared among students" },
    { from = "bastion", to = "database", port = 5432, why = "an operator's port forward through Session Manager" },
    { from = "jobs", to = "database", port = 5432, why = "migrations and checks" },
    { from = "server", to = "internet", port = 443, why = "AWS's endpoints and package mirrors, through NAT or an endpoint" },
    { from = "bastion", to = "internet", port = 443, why = "Session Manager" },
    { from = "jobs", to = "internet", port = 443, why = "AWS's endpoints" },
  ]
}
