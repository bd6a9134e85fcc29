output "identity_arn" {
  description = "ARN of the identity, for the policy of whoever sends."
  value       = aws_sesv2_email_identity.domain.arn
}

output "configuration_set" {
  description = "Name of the configuration set: each letter names it."
  value       = aws_sesv2_configuration_set.platform.configuration_set_name
}

output "configuration_set_arn" {
  description = "ARN of the configuration set: who sends needs the right to it and to the identity."
  value       = aws_sesv2_configuration_set.platform.arn
}

output "from_address" {
  description = "Who the platform's letters are from."
  value       = "${var.sender}@${var.domain.name}"

  # A letter before these is a letter that nobody believes.
  depends_on = [aws_route53_record.dkim, aws_route53_record.mail_from, aws_route53_record.dmarc]
}
