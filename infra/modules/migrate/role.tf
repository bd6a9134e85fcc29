resource "aws_iam_role" "this" {
  name                 = local.project
  description          = "The migrations of ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "OwnProject"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codebuild.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:codebuild:${local.region}:${local.account}:project/${local.project}"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "migrate"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  # The owner's password, to change tables, and the servers' own, to give it to their role.
  statement {
    sid       = "Passwords"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.database.master_secret_arn, var.application_secret_arn]
  }

  statement {
    sid       = "KeysOfPasswords"
    actions   = ["kms:Decrypt"]
    resources = var.secret_key_arns

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/lyceum/${var.environment}/migrate:*"]
  }

  # The source, as the pipeline hands it on.
  statement {
    sid       = "ReadWhatIsHandedOn"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["arn:${local.partition}:s3:::lyceum-pipeline-artifacts-${local.account}/*/Source*"]
  }

  statement {
    sid       = "OpenWhatIsHandedOn"
    actions   = ["kms:Decrypt"]
    resources = ["arn:${local.partition}:kms:${local.region}:${local.account}:key/*"]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = ["alias/lyceum-pipeline"]
    }
  }

  statement {
    sid       = "CloneTheSource"
    actions   = ["codeconnections:UseConnection"]
    resources = ["arn:${local.partition}:codeconnections:${local.region}:${local.account}:connection/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # CodeBuild puts an interface into the subnet in this role's name.
  statement {
    sid     = "JoinTheNetwork"
    actions = ["ec2:CreateNetworkInterface"]
    resources = [for kind in ["network-interface/*", "security-group/*", "subnet/*"] :
      "arn:${local.partition}:ec2:${local.region}:${local.account}:${kind}"
    ]
  }

  statement {
    sid       = "LeaveTheNetwork"
    actions   = ["ec2:DeleteNetworkInterface"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:network-interface/*"]
  }

  statement {
    sid = "LookAtTheNetwork"
    actions = [
      "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "LetCodeBuildUseIt"
    actions   = ["ec2:CreateNetworkInterfacePermission"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:network-interface/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:AuthorizedService"
      values   = ["codebuild.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "ec2:Subnet"
      values   = [for subnet in var.subnet_ids : "arn:${local.partition}:ec2:${local.region}:${local.account}:subnet/${subnet}"]
    }
  }
}
