# The platform's letters: confirmations, resets, certificates. They are sent in the name of its domain, signed, and to
# servers that speak TLS only.
resource "aws_sesv2_email_identity" "domain" {
  email_identity         = var.domain.name
  configuration_set_name = aws_sesv2_configuration_set.platform.configuration_set_name

  # Easy DKIM: AWS keeps the key and turns it; the zone points at it.
  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

# Who a letter really comes from is a name of ours too, so that SPF speaks for our domain and not for Amazon's.
resource "aws_sesv2_email_identity_mail_from_attributes" "domain" {
  email_identity   = aws_sesv2_email_identity.domain.email_identity
  mail_from_domain = local.mail_from

  # When its record cannot be found, a letter from Amazon's name is better than none: DKIM still speaks for us.
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"

  # AWS looks for the records as soon as it knows the name.
  depends_on = [aws_route53_record.mail_from]
}

resource "aws_sesv2_configuration_set" "platform" {
  configuration_set_name = var.name

  delivery_options {
    tls_policy = "REQUIRE"
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  # Whoever bounced or complained is written to no more: AWS stops senders that go on.
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

# What became of the letters, as metrics: AWS/SES, by configuration set.
resource "aws_sesv2_configuration_set_event_destination" "metrics" {
  configuration_set_name = aws_sesv2_configuration_set.platform.configuration_set_name
  event_destination_name = "metrics"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "DELIVERY", "REJECT", "SEND"]

    cloud_watch_destination {
      # A tag that AWS puts on every letter by itself.
      dimension_configuration {
        dimension_name          = "ses:configuration-set"
        dimension_value_source  = "MESSAGE_TAG"
        default_dimension_value = var.name
      }
    }
  }
}

data "aws_region" "current" {}

locals {
  # The deployer may write records at bounce.* and at no name besides (infra/bootstrap/deployer_edge.tf).
  mail_from = "bounce.${var.domain.name}"
}
