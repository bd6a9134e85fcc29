# The most that any role made by the deployer can do, whatever policies it is given: what running the platform takes,
# on the platform's own resources, and nothing about identities.
resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_290:A boundary grants nothing: each role's own policy names its resources.
  #checkov:skip=CKV_AWS_355:A boundary grants nothing: each role's own policy names its resources.

  name        = "lyceum-boundary"
  description = "The most that a role of the platform can ever do"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "boundary" {
  source_policy_documents = [
    data.aws_iam_policy_document.boundary_backup.json,
    data.aws_iam_policy_document.boundary_operations.json,
  ]

  statement {
    sid = "OwnData"
    actions = [
      "dynamodb:*Item", "dynamodb:DescribeTable", "dynamodb:Query", "dynamodb:Scan", "s3:*Object*",
      "s3:AbortMultipartUpload", "s3:ListBucket*", "s3:ListMultipartUploadParts",
    ]
    resources = flatten([
      for prefix in local.prefixes : [
        "arn:${local.partition}:s3:::${prefix}*",
        "arn:${local.partition}:dynamodb:*:${local.account}:table/${prefix}*",
      ]
    ])
  }

  statement {
    sid     = "OwnSecretsAndFiles"
    actions = ["elasticfilesystem:Client*", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = concat(
      ["arn:${local.partition}:elasticfilesystem:*:${local.account}:file-system/*"],
      ["arn:${local.partition}:secretsmanager:*:${local.account}:secret:rds!*"],
      [for prefix in local.prefixes : "arn:${local.partition}:secretsmanager:*:${local.account}:secret:${prefix}*"],
    )
  }

  statement {
    sid       = "OwnKeys"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["arn:${local.partition}:kms:*:${local.account}:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # A volume or a backup is opened by AWS on the role's behalf, and only so.
  statement {
    sid       = "GrantsToAwsServices"
    actions   = ["kms:CreateGrant"]
    resources = ["arn:${local.partition}:kms:*:${local.account}:key/*"]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  # What these name cannot be narrowed by resource, or changes nothing.
  statement {
    sid = "ReportAndBeReached"
    actions = [
      "autoscaling:Describe*", "cloudwatch:PutMetricData", "ec2:Describe*", "ec2messages:*", "logs:CreateLogStream",
      "logs:DescribeLog*", "logs:PutLogEvents", "ses:SendEmail", "ses:SendRawEmail", "ssm:DescribeAssociation",
      "ssm:GetDocument", "ssm:ListAssociations", "ssm:UpdateInstanceInformation", "ssmmessages:*",
    ]
    resources = ["*"]
  }

  # RDS makes the account's one group of operating system metrics itself, and sets how long it keeps.
  statement {
    sid       = "DatabaseMonitoringMakesItsGroup"
    actions   = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    resources = ["arn:${local.partition}:logs:*:${local.account}:log-group:RDS*"]

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}database-monitoring"]
    }
  }
}
