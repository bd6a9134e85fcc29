# The platform's name: its certificate, the records that prove the name is ours, and the address behind it.
resource "aws_acm_certificate" "platform" {
  count = var.domain == null ? 0 : 1

  domain_name       = var.domain.name
  validation_method = "DNS"

  # A listener always needs one: the next stands before the last goes.
  lifecycle {
    create_before_destroy = true
  }
}

# Stays for good: ACM renews the certificate as long as it finds this record.
resource "aws_route53_record" "certificate" {
  for_each = {
    for proof in flatten(aws_acm_certificate.platform[*].domain_validation_options) : proof.domain_name => proof
  }

  zone_id = var.domain.zone_id
  name    = each.value.resource_record_name
  type    = each.value.resource_record_type
  records = [each.value.resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "platform" {
  count = var.domain == null ? 0 : 1

  certificate_arn         = aws_acm_certificate.platform[0].arn
  validation_record_fqdns = [for record in aws_route53_record.certificate : record.fqdn]

  # Minutes when the zone answers to the world. When it does not, waiting longer does not help.
  timeouts {
    create = "30m"
  }
}

resource "aws_route53_record" "platform" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.platform.dns_name
    zone_id                = aws_lb.platform.zone_id
    evaluate_target_health = false
  }
}
