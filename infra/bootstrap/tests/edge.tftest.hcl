# Plans only: the state bucket refuses to be destroyed, even by a test.
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

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lyceum-deployer" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::lyceum-state-123456789012" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/audit" }
  }
}

variables {
  alarm_email  = "operator@lyceum.example"
  environments = ["dev"]
}

run "the_deployer_changes_only_what_is_an_environments_at_the_edge" {
  command = plan

  assert {
    condition     = local.load_balancers == ["arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lyceum-dev/*"]
    error_message = "Development's load balancer and no other."
  }

  # What changes something is narrowed: by name, by tag, by record, or, where AWS knows none of these, by region. One
  # exception: letting go of a load balancer, which the load balancer's own action narrows.
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deployer_edge.statement : [
        for action in statement.actions : action if !can(regex(":(Describe|Get|List)", action))
      ] if contains(statement.resources, "*") && length(statement.condition) == 0
    ])) == toset(["wafv2:DisassociateWebACL"])
    error_message = "On every resource there is, the deployer looks and does nothing else."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_edge.statement :
      anytrue([for c in statement.condition : startswith(c.variable, "aws:") && endswith(c.variable, "Tag/Project") && c.values == tolist(["lyceum"])])
      if length(setintersection(statement.actions, ["acm:RequestCertificate", "acm:DeleteCertificate", "ses:DeleteEmailIdentity"])) > 0
    ])
    error_message = "Certificates and identities are made and found by their tag."
  }
}

run "the_zone_stays_its_owners" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.deployer_edge.statement : [
        for c in statement.condition : c.values if c.variable == "route53:ChangeResourceRecordSetsRecordTypes"
      ]
    ])) == toset(["A", "CNAME", "MX", "TXT"])
    error_message = "Never NS, SOA or CAA: who answers for the zone, and who may certify it."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.deployer_edge.statement : anytrue([
        for c in statement.condition : c.variable == "route53:ChangeResourceRecordSetsNormalizedRecordNames"
        && toset(c.values) == toset(["_*", "*._domainkey.*", "bounce.*"])
      ]) || anytrue([for c in statement.condition : c.values == tolist(["A"])])
      if contains(statement.actions, "route53:ChangeResourceRecordSets")
    ])
    error_message = "Besides addresses only names that prove something, and where bounces go."
  }
}
