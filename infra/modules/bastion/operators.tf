# The rights of an operator, for whoever gives them out (an administrator; the deployer can make no user's policy).
data "aws_iam_policy_document" "operator" {
  for_each = local.documents

  # Without the check, a right to the instance alone would start AWS's own shell on it.
  statement {
    sid       = "StartThisSessionHere"
    actions   = ["ssm:StartSession"]
    resources = [aws_instance.this.arn, each.value]

    condition {
      test     = "BoolIfExists"
      variable = "ssm:SessionDocumentAccessCheck"
      values   = ["true"]
    }
  }

  # A session carries the id of who started it.
  statement {
    sid       = "OwnSessions"
    actions   = ["ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:session/&{aws:userid}-*"]
  }

  dynamic "statement" {
    for_each = local.needed[each.key]

    content {
      sid       = statement.value.sid
      actions   = [statement.value.action]
      resources = [statement.value.resource]
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  documents = {
    database = aws_ssm_document.database.arn
    shell    = aws_ssm_document.shell.arn
  }

  # What a kind of session needs besides itself.
  needed = {
    # ./lyceum tunnel db finds both ends by itself, and opens the database with the servers' password: as the servers'
    # role it makes the operator a login that only reads. Of these calls, EC2's knows no resource.
    database = [
      { sid = "FindTheBastion", action = "ec2:DescribeInstances", resource = "*" },
      { sid = "FindTheDatabase", action = "rds:DescribeDBInstances", resource = var.database.arn },
      { sid = "OpenTheDatabase", action = "secretsmanager:GetSecretValue", resource = var.database.secret_arn },
      { sid = "ReadThatSecret", action = "kms:Decrypt", resource = var.database.secret_key_arn },
    ]
    # A shell is encrypted by a key of ours on its way, beyond TLS.
    shell = [
      { sid = "EncryptTheSession", action = "kms:GenerateDataKey", resource = var.key_arn },
    ]
  }
}
