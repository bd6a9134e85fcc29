# The part of the boundary that only the backup roles need: copies of the environments' data, and the way back. AWS's
# own policies of AWS Backup name every resource of the account; what counts is what both allow.
data "aws_iam_policy_document" "boundary_backup" {
  statement {
    sid = "CopyOwnData"
    actions = [
      "dynamodb:*Backup*", "dynamodb:ListTagsOfResource", "s3:CreateBucket", "s3:GetBucket*",
      "s3:GetInventoryConfiguration", "s3:ListMultipartUploadParts", "s3:ListTagsForResource",
      "s3:PutBucketNotification", "s3:PutBucketOwnershipControls", "s3:PutBucketVersioning",
      "s3:PutInventoryConfiguration",
      "rds:AddTagsToResource", "rds:CopyDBSnapshot", "rds:CreateDBInstance", "rds:CreateDBSnapshot", "rds:DeleteDBSnapshot",
      "rds:ListTagsForResource", "rds:RestoreDBInstanceFromDBSnapshot",
      "backup:DescribeBackupVault", "backup:TagResource",
      "elasticfilesystem:Backup", "elasticfilesystem:CreateFile*", "elasticfilesystem:Restore",
      "elasticfilesystem:TagResource", "events:*Rule", "events:*Targets*",
    ]
    resources = flatten([
      [for kind in [
        "backup:*:${local.account}:recovery-point:*",
        "elasticfilesystem:*:${local.account}:file-system/*",
        "events:*:${local.account}:rule/AwsBackupManagedRule*",
        "rds:*:${local.account}:og:default:*",
        "rds:*:${local.account}:snapshot:awsbackup:*",
      ] : "arn:${local.partition}:${kind}"],
      [for prefix in local.prefixes : [for kind in [
        "backup:*:${local.account}:backup-vault:${prefix}*",
        "dynamodb:*:${local.account}:table/${prefix}*",
        "rds:*:${local.account}:*:${prefix}*",
        "s3:::${prefix}*",
      ] : "arn:${local.partition}:${kind}"]],
    ])

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = local.backup_roles
    }
  }

  statement {
    sid = "LookForWhatToCopy"
    actions = [
      "cloudwatch:GetMetricData", "elasticfilesystem:Describe*", "events:ListRules", "rds:Describe*",
      "s3:ListAllMyBuckets", "tag:GetResources",
    ]
    resources = ["*"]

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = local.backup_roles
    }
  }
}

locals {
  backup_roles = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}backup"]
}
