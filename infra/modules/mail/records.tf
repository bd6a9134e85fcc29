# What the world looks up before it believes a letter.

# DKIM: three names at which AWS publishes the keys it signs with.
resource "aws_route53_record" "dkim" {
  count = 3

  zone_id = var.domain.zone_id
  name    = "${local.dkim_tokens[count.index]}._domainkey.${var.domain.name}"
  type    = "CNAME"
  records = ["${local.dkim_tokens[count.index]}.dkim.amazonses.com"]
  ttl     = 1800
}

# MX: where bounces go. TXT: who may send in this name (SPF).
resource "aws_route53_record" "mail_from" {
  for_each = {
    MX  = "10 feedback-smtp.${data.aws_region.current.name}.amazonses.com"
    TXT = "v=spf1 include:amazonses.com -all"
  }

  zone_id = var.domain.zone_id
  name    = local.mail_from
  type    = each.key
  records = [each.value]
  ttl     = 1800
}

# DMARC: what to do with a letter in our name that neither signature nor SPF speaks for. Alignment is relaxed, so that
# bounce.<domain> counts as ours.
resource "aws_route53_record" "dmarc" {
  zone_id = var.domain.zone_id
  name    = "_dmarc.${var.domain.name}"
  type    = "TXT"
  records = ["v=DMARC1; p=${var.dmarc_policy}"]
  ttl     = 1800
}

locals {
  dkim_tokens = aws_sesv2_email_identity.domain.dkim_signing_attributes[0].tokens
}
