# What the deployer needs for AWS Backup. It makes and keeps vaults and plans; what is in a vault it may delete in
# development only.
data "aws_iam_policy_document" "deployer_backup" {
  statement {
    sid = "Vaults"
    actions = [
      "backup:CreateBackupVault", "backup:DeleteBackupVault", "backup:DeleteBackupVaultLockConfiguration",
      "backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault", "backup:ListTags",
      "backup:PutBackupVaultLockConfiguration", "backup:TagResource", "backup:UntagResource",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:backup:${var.region}:${local.account}:backup-vault:${prefix}*"]
  }

  # A lock with a cooling-off time can never be lifted again: nobody sets one in passing.
  statement {
    sid       = "NeverALockForEver"
    effect    = "Deny"
    actions   = ["backup:PutBackupVaultLockConfiguration"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "backup:ChangeableForDays"
      values   = ["false"]
    }
  }

  # A plan's id is not known before it exists: it is found by its tag.
  statement {
    sid       = "MakePlans"
    actions   = ["backup:CreateBackupPlan", "backup:TagResource"]
    resources = ["arn:${local.partition}:backup:${var.region}:${local.account}:backup-plan:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }

    # Nobody makes another project's resource his own by tagging it.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  statement {
    sid = "KeepOwnPlans"
    actions = [
      "backup:CreateBackupSelection", "backup:DeleteBackupPlan", "backup:DeleteBackupSelection",
      "backup:GetBackupPlan", "backup:GetBackupSelection", "backup:ListTags",
      "backup:TagResource", "backup:UntagResource", "backup:UpdateBackupPlan",
    ]
    resources = ["arn:${local.partition}:backup:${var.region}:${local.account}:backup-plan:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # A vault of development goes with what is in it. Production's recovery points end by their age, or by an
  # administrator's hand.
  dynamic "statement" {
    for_each = contains(var.environments, "dev") ? [1] : []

    content {
      sid       = "EmptyDevelopmentsVault"
      actions   = ["backup:DeleteRecoveryPoint"]
      resources = ["*"]

      condition {
        test     = "StringEquals"
        variable = "aws:ResourceTag/Project"
        values   = ["lyceum"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:ResourceTag/Environment"
        values   = ["dev"]
      }
    }
  }

  # The storage behind a vault; the action knows no resource.
  statement {
    sid       = "StorageOfVaults"
    actions   = ["backup-storage:MountCapsule"]
    resources = ["*"]
  }

  # AWS Backup takes its grant on the vault's key in the deployer's name.
  statement {
    sid       = "GrantsOfVaults"
    actions   = ["kms:RetireGrant"]
    resources = ["arn:${local.partition}:kms:${var.region}:${local.account}:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = var.environments
    }
  }

  statement {
    sid       = "RoleOfAwsBackup"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/backup.amazonaws.com/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["backup.amazonaws.com"]
    }
  }
}
