# What the agent of Session Manager needs, and nothing else: no commands, no parameters, no password of the database.
resource "aws_iam_role" "bastion" {
  name                 = "${var.name}-bastion"
  description          = "The bastion of ${var.name} is reached through Session Manager"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_instance_profile" "bastion" {
  name = "${var.name}-bastion"
  role = aws_iam_role.bastion.name
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "sessions" {
  name   = "sessions"
  role   = aws_iam_role.bastion.id
  policy = data.aws_iam_policy_document.sessions.json
}

data "aws_iam_policy_document" "sessions" {
  #checkov:skip=CKV_AWS_111:What stands on * knows no resource, or an instance whose id is not known before it starts.
  #checkov:skip=CKV_AWS_356:What stands on * knows no resource, or an instance whose id is not known before it starts.

  # ec2messages, the agent's older channel, carries Run Command; sessions never came that way.
  statement {
    sid = "BeReached"
    actions = [
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "LogSessions"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${var.session_log_group.arn}:*"]
  }

  # It asks whether the group is encrypted before it writes there. Cannot be narrowed to a group.
  statement {
    sid       = "FindTheGroup"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "OpenSessions"
    actions   = ["kms:Decrypt"]
    resources = [var.key_arn]
  }
}
