output "instance_id" {
  description = "The bastion: the target of a session."
  value       = aws_instance.this.id
}

output "role_arn" {
  description = "The bastion's role."
  value       = aws_iam_role.bastion.arn
}

output "session_document" {
  description = "Document of the port forward to the database; its parameter localPortNumber is the port on the operator's machine."
  value       = aws_ssm_document.database.name
}

output "shell_document" {
  description = "Document of the logged shell."
  value       = aws_ssm_document.shell.name
}

output "operator_policies" {
  description = "Policies (JSON) that let an operator start exactly one kind of session: \"database\" or \"shell\"."
  value       = { for kind, document in data.aws_iam_policy_document.operator : kind => document.json }
}
