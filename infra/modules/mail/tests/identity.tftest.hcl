mock_provider "aws" {
  override_during = plan

  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }

  mock_resource "aws_sesv2_configuration_set" {
    defaults = { arn = "arn:aws:ses:eu-west-1:123456789012:configuration-set/lyceum-test" }
  }
}

# The tokens that AWS makes.
override_resource {
  target          = aws_sesv2_email_identity.domain
  override_during = plan
  values = {
    arn = "arn:aws:ses:eu-west-1:123456789012:identity/learn.lyceum.example"
    dkim_signing_attributes = {
      tokens = ["one", "two", "three"]
    }
  }
}

variables {
  name   = "lyceum-test"
  domain = { name = "learn.lyceum.example", zone_id = "Z0123456789" }
}

run "the_zone_says_who_may_write_in_its_name" {
  command = plan

  assert {
    condition = [for record in aws_route53_record.dkim : "${record.type} ${record.name} ${one(record.records)}"] == [
      for token in ["one", "two", "three"] : "CNAME ${token}._domainkey.learn.lyceum.example ${token}.dkim.amazonses.com"
    ]
    error_message = "Three names at which the keys are found."
  }

  assert {
    condition = alltrue([
      aws_sesv2_email_identity_mail_from_attributes.domain.mail_from_domain == "bounce.learn.lyceum.example",
      alltrue([for record in aws_route53_record.mail_from : record.name == "bounce.learn.lyceum.example"]),
      one(aws_route53_record.mail_from["MX"].records) == "10 feedback-smtp.eu-west-1.amazonses.com",
      one(aws_route53_record.mail_from["TXT"].records) == "v=spf1 include:amazonses.com -all",
    ])
    error_message = "Bounces go to this region's SES, and nobody else sends in the domain's name."
  }

  assert {
    condition     = aws_route53_record.dmarc.name == "_dmarc.learn.lyceum.example" && one(aws_route53_record.dmarc.records) == "v=DMARC1; p=quarantine"
    error_message = "A letter that nothing speaks for is set aside."
  }

  assert {
    condition     = output.from_address == "no-reply@learn.lyceum.example"
    error_message = "The platform writes in its domain's name."
  }
}

run "letters_go_over_tls_and_what_became_of_them_is_counted" {
  command = plan

  assert {
    condition = alltrue([
      aws_sesv2_configuration_set.platform.delivery_options[0].tls_policy == "REQUIRE",
      aws_sesv2_configuration_set.platform.reputation_options[0].reputation_metrics_enabled,
      toset(aws_sesv2_configuration_set.platform.suppression_options[0].suppressed_reasons) == toset(["BOUNCE", "COMPLAINT"]),
    ])
    error_message = "TLS only, reputation measured, nobody written to who bounced or complained."
  }

  assert {
    condition = alltrue([
      aws_sesv2_email_identity.domain.configuration_set_name == "lyceum-test",
      aws_sesv2_configuration_set_event_destination.metrics.configuration_set_name == "lyceum-test",
      length(setsubtract(["BOUNCE", "COMPLAINT"], aws_sesv2_configuration_set_event_destination.metrics.event_destination[0].matching_event_types)) == 0,
      length(aws_sesv2_configuration_set_event_destination.metrics.event_destination[0].cloud_watch_destination) == 1,
    ])
    error_message = "Bounces and complaints become metrics, for every letter of the domain."
  }
}

run "what_dmarc_and_addresses_do_not_know_is_refused" {
  command = plan

  variables {
    dmarc_policy = "block"
    sender       = "no-reply@lyceum.example"
    domain       = { name = "Learn.Lyceum.example.", zone_id = "Z0123456789" }
  }

  expect_failures = [var.dmarc_policy, var.sender, var.domain]
}

run "a_name_is_no_zone_id" {
  command = plan

  variables {
    domain = { name = "learn.lyceum.example", zone_id = "lyceum.example" }
  }

  expect_failures = [var.domain]
}
