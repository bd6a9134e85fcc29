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

  mock_resource "aws_s3_bucket" {
    defaults = {
      id  = "lyceum-test-access-logs-123456789012"
      arn = "arn:aws:s3:::lyceum-test-access-logs-123456789012"
    }
  }

  mock_resource "aws_lb" {
    defaults = {
      arn      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lyceum-test/0123456789abcdef"
      dns_name = "lyceum-test-1.us-east-1.elb.amazonaws.com"
      zone_id  = "Z35SXDOTRQ7X7K"
    }
  }

  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lyceum-test-servers-8000/0123456789abcdef" }
  }

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "learn.lyceum.example"
        resource_record_name  = "_proof.learn.lyceum.example."
        resource_record_type  = "CNAME"
        resource_record_value = "_proof.acm-validations.aws."
      }]
    }
  }
}

variables {
  name               = "lyceum-test"
  vpc_id             = "vpc-1"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  protected          = true
}

run "with_a_domain_only_tls_serves_and_80_leads_there" {
  command = plan

  variables {
    domain = { name = "learn.lyceum.example", zone_id = "Z0123456789" }
  }

  assert {
    condition = alltrue([
      aws_lb_listener.https[0].port == 443,
      aws_lb_listener.https[0].protocol == "HTTPS",
      aws_lb_listener.https[0].default_action[0].type == "forward",
      aws_lb_listener.http.port == 80,
      aws_lb_listener.http.default_action[0].type == "redirect",
      one(aws_lb_listener.http.default_action[0].redirect).protocol == "HTTPS",
    ])
    error_message = "443 serves, 80 redirects, nothing serves in the clear."
  }

  assert {
    condition     = startswith(aws_lb_listener.https[0].ssl_policy, "ELBSecurityPolicy-TLS13-1-2-")
    error_message = "TLS 1.2 at least."
  }

  assert {
    condition     = keys(aws_route53_record.certificate) == ["learn.lyceum.example"] && aws_route53_record.certificate["learn.lyceum.example"].name == "_proof.learn.lyceum.example."
    error_message = "The zone proves to ACM that the name is ours."
  }

  assert {
    condition     = aws_route53_record.platform[0].type == "A" && aws_route53_record.platform[0].alias[0].name == aws_lb.platform.dns_name
    error_message = "The name leads to the load balancer."
  }

  assert {
    condition     = output.url == "https://learn.lyceum.example"
    error_message = "Learners meet it at its name."
  }
}

run "without_a_domain_80_serves_and_no_certificate_is_asked_for" {
  command = plan

  assert {
    condition = alltrue([
      length(aws_lb_listener.https) == 0,
      length(aws_acm_certificate.platform) == 0,
      length(aws_route53_record.platform) == 0,
      length(aws_route53_record.certificate) == 0,
      aws_lb_listener.http.default_action[0].type == "forward",
      output.certificate_arn == null,
      output.url == "http://lyceum-test-1.us-east-1.elb.amazonaws.com",
    ])
    error_message = "Plain HTTP, and nothing that needs a name."
  }
}

run "a_learner_meets_no_closed_connection_and_no_smuggled_request" {
  command = plan

  assert {
    condition     = aws_lb.platform.idle_timeout == 60 && aws_lb.platform.idle_timeout < var.keep_alive_seconds
    error_message = "The load balancer closes idle connections before the server does."
  }

  assert {
    condition     = aws_lb.platform.drop_invalid_header_fields && aws_lb.platform.desync_mitigation_mode == "defensive" && !aws_lb.platform.internal
    error_message = "What breaks HTTP's rules goes no further."
  }

  assert {
    condition = alltrue([
      aws_lb_target_group.servers.port == 8000,
      aws_lb_target_group.servers.deregistration_delay == "30",
      aws_lb_target_group.servers.health_check[0].path == "/healthz",
      aws_lb_target_group.servers.health_check[0].matcher == "200",
      aws_lb_target_group.servers.health_check[0].interval == 10,
      !aws_lb_target_group.servers.stickiness[0].enabled,
    ])
    error_message = "Servers are checked at /healthz, drained for 30 seconds, and anyone's."
  }

  assert {
    condition     = aws_lb_target_group.servers.name == "lyceum-test-servers-8000"
    error_message = "Another port is another name, so that both groups can stand side by side."
  }
}

run "protected_nothing_goes_by_mistake" {
  command = plan

  assert {
    condition     = aws_lb.platform.enable_deletion_protection && !aws_s3_bucket.access_logs.force_destroy
    error_message = "Neither the load balancer nor its log."
  }
}

run "unprotected_all_of_it_goes" {
  command = plan

  variables {
    protected = false
  }

  assert {
    condition     = !aws_lb.platform.enable_deletion_protection && aws_s3_bucket.access_logs.force_destroy
    error_message = "Development can be destroyed."
  }
}

run "the_access_log_is_private_and_ends_by_its_age" {
  command = plan

  assert {
    condition = alltrue([
      aws_lb.platform.access_logs[0].enabled,
      aws_lb.platform.access_logs[0].bucket == aws_s3_bucket.access_logs.id,
      aws_s3_bucket.access_logs.bucket == "lyceum-test-access-logs-123456789012",
      module.private_access_logs.promises.expiration_days == 90,
      module.private_access_logs.promises.noncurrent_days == 1,
    ])
    error_message = "Written, private, gone after 90 days."
  }

  assert {
    condition     = module.private_access_logs.promises.kms_key_arn == null
    error_message = "Under S3's own key: the load balancer can write under no other."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.access_logs.statement : alltrue([
        tolist(statement.actions) == tolist(["s3:PutObject"]),
        tolist(statement.resources) == tolist(["arn:aws:s3:::lyceum-test-access-logs-123456789012/AWSLogs/123456789012/*"]),
        one(statement.principals).identifiers == toset(["logdelivery.elasticloadbalancing.amazonaws.com"]),
      ])
    ]) && length(module.private_access_logs.promises.policy_documents) == 1
    error_message = "Written by this account's load balancers only."
  }
}

# Refusals share a run: one costs as much as ten.
run "what_aws_or_learners_would_not_bear_is_refused" {
  command = plan

  variables {
    name                 = "lyceum-of-a-town-far-away"
    subnet_ids           = ["subnet-1"]
    security_group_ids   = []
    domain               = { name = "https://learn.lyceum.example", zone_id = "Z0123456789" }
    server_port          = 80
    health_check         = { interval = 10, timeout = 10 }
    idle_timeout         = 75
    deregistration_delay = 300
    log_retention_days   = 0
  }

  expect_failures = [
    var.name, var.subnet_ids, var.security_group_ids, var.domain, var.server_port, var.health_check, var.idle_timeout,
    var.deregistration_delay, var.log_retention_days,
  ]
}

run "a_shorter_keep_alive_a_hasty_check_and_a_name_for_a_zone_are_refused" {
  command = plan

  variables {
    keep_alive_seconds = 60
    health_check       = { interval = 1 }
    domain             = { name = "learn.lyceum.example", zone_id = "lyceum.example" }
  }

  expect_failures = [var.idle_timeout, var.health_check, var.domain]
}

run "one_bad_answer_is_no_verdict" {
  command = plan

  variables {
    health_check = { unhealthy = 1 }
  }

  expect_failures = [var.health_check]
}
