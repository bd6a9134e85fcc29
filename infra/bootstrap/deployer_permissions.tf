# The deployer's rights, by concern. Reads are written as prefixes, because the provider asks for more with each
# version; everything that changes something is named.
locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Environments own what carries their prefix; what bootstrap makes (lyceum-deployer, lyceum-state-…) does not.
  prefixes = [for environment in var.environments : "lyceum-${environment}-"]
}

data "aws_iam_policy_document" "deployer_state" {
  statement {
    sid       = "FindStates"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = [aws_s3_bucket.state.arn]
  }

  # The lock file lies beside its state. Versions cannot be deleted: whoever spoils a state leaves the one before it.
  statement {
    sid       = "WriteStatesOfEnvironments"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.state.arn}/platform-*"]
  }

  statement {
    sid       = "OpenStates"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.state.arn]
  }

  # What bootstrap made is the administrator's: its state tells every secret of the account's foundation.
  statement {
    sid       = "LeaveBootstrapAlone"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["${aws_s3_bucket.state.arn}/bootstrap*"]
  }
}

data "aws_iam_policy_document" "deployer_network" {
  # Most of EC2's creating actions name resources that do not exist yet, and some what AWS makes without a tag: the
  # region is the boundary that always holds, and what carries another project's tag is not touched.
  statement {
    sid = "Network"
    actions = [
      "ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AuthorizeSecurityGroupEgress",
      "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs", "ec2:CreateInternetGateway", "ec2:CreateNatGateway",
      "ec2:CreateNetworkAcl", "ec2:CreateNetworkInterface", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup",
      "ec2:CreateSubnet", "ec2:CreateVpc", "ec2:CreateVpcEndpoint", "ec2:DeleteNetworkInterface", "ec2:Describe*",
      "ec2:DisassociateAddress", "ec2:DisassociateRouteTable", "ec2:GetSecurityGroupsForVpc",
      "ec2:ModifyNetworkInterfaceAttribute", "ec2:ModifySecurityGroupRules", "ec2:ReplaceNetworkAclAssociation",
      "ec2:ReplaceRouteTableAssociation", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
      "ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # What is taken away or bent has stood there before, and has its tag.
  statement {
    sid = "KeepOwnNetwork"
    actions = [
      "ec2:AttachInternetGateway", "ec2:CreateNetworkAclEntry", "ec2:CreateRoute", "ec2:DeleteFlowLogs",
      "ec2:DeleteInternetGateway", "ec2:DeleteNatGateway", "ec2:DeleteNetworkAcl", "ec2:DeleteNetworkAclEntry",
      "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteVpc",
      "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute",
      "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress", "ec2:ReplaceNetworkAclEntry", "ec2:ReplaceRoute",
    ]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:*/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # A tag decides elsewhere whose a machine, a key or a template is. It may be set while something is made, and changed
  # on what is ours already: nobody makes another's resource his own by tagging it.
  statement {
    sid       = "TagWhatIsMade"
    actions   = ["ec2:CreateTags"]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:*/*"]

    condition {
      test     = "StringLike"
      variable = "ec2:CreateAction"
      values   = ["AllocateAddress", "Create*", "RunInstances"]
    }
  }

  statement {
    sid       = "TagWhatIsOurs"
    actions   = ["ec2:CreateTags", "ec2:DeleteTags"]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:*/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # The group that every VPC is born with has no tag yet when its rules are taken away and it gets one.
  statement {
    sid       = "TagTheDefaultGroup"
    actions   = ["ec2:CreateTags"]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:security-group/*"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Project"
      values   = ["true"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }
  }

  # An interface endpoint brings a private zone of AWS's own, which EC2 joins to the VPC in the deployer's name.
  statement {
    sid       = "PrivateNamesOfEndpoints"
    actions   = ["route53:AssociateVPCWithHostedZone"]
    resources = ["arn:${local.partition}:route53:::hostedzone/*"]
  }
}

data "aws_iam_policy_document" "deployer_data" {
  #checkov:skip=CKV_AWS_356:A file system has no name to be found by: its tags are the condition. What has none only reads.

  # Buckets by name, and their configuration only: the deployer reads no learner's file. Tags are set and read by the
  # bucket's own calls up to provider 6.22, by S3 Control's since (ListTagsForResource, TagResource, UntagResource).
  statement {
    sid = "Buckets"
    actions = [
      "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:GetAccelerateConfiguration", "s3:GetBucket*",
      "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration",
      "s3:ListBucket", "s3:ListBucketVersions", "s3:ListTagsForResource", "s3:PutBucketCORS",
      "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging",
      "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:TagResource",
      "s3:UntagResource",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:s3:::${prefix}*"]
  }

  # Development may be destroyed with what is in it, version by version, as all of its buckets keep them; production's
  # must be emptied by somebody else first.
  dynamic "statement" {
    for_each = contains(var.environments, "dev") ? [1] : []

    content {
      sid       = "EmptyDevelopment"
      actions   = ["s3:DeleteObjectVersion"]
      resources = ["arn:${local.partition}:s3:::lyceum-dev-*/*"]
    }
  }

  statement {
    sid = "Tables"
    actions = [
      "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:Describe*", "dynamodb:ListTagsOfResource",
      "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:dynamodb:${var.region}:${local.account}:table/${prefix}*"]
  }

  statement {
    sid = "Databases"
    actions = [
      "rds:AddTagsToResource", "rds:CreateDBInstance", "rds:CreateDBParameterGroup", "rds:CreateDBSnapshot",
      "rds:CreateDBSubnetGroup", "rds:DeleteDBInstance", "rds:DeleteDBParameterGroup", "rds:DeleteDBSubnetGroup",
      "rds:ListTagsForResource", "rds:ModifyDBInstance", "rds:ModifyDBParameterGroup", "rds:ModifyDBSubnetGroup",
      "rds:RemoveTagsFromResource", "rds:ResetDBParameterGroup",
    ]
    resources = flatten([
      # An instance belongs to AWS's own option group when it is given none.
      "arn:${local.partition}:rds:${var.region}:${local.account}:og:default:*",
      [
        for prefix in local.prefixes : [
          for kind in ["db", "pg", "snapshot", "subgrp"] : "arn:${local.partition}:rds:${var.region}:${local.account}:${kind}:${prefix}*"
        ]
      ],
    ])
  }

  statement {
    sid       = "LookAtDatabases"
    actions   = ["rds:Describe*"]
    resources = ["*"]
  }

  # A file system is found by its tag: its id is not known before it exists.
  statement {
    sid       = "MakeFileSystems"
    actions   = ["elasticfilesystem:CreateAccessPoint", "elasticfilesystem:CreateFileSystem", "elasticfilesystem:TagResource"]
    resources = ["*"]

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
    sid = "KeepOwnFileSystems"
    actions = [
      "elasticfilesystem:CreateMountTarget", "elasticfilesystem:DeleteAccessPoint",
      "elasticfilesystem:DeleteFileSystem", "elasticfilesystem:DeleteFileSystemPolicy",
      "elasticfilesystem:DeleteMountTarget", "elasticfilesystem:ModifyMountTargetSecurityGroups",
      "elasticfilesystem:PutFileSystemPolicy", "elasticfilesystem:PutLifecycleConfiguration",
      "elasticfilesystem:UntagResource", "elasticfilesystem:UpdateFileSystem",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  statement {
    sid       = "LookAtFileSystems"
    actions   = ["elasticfilesystem:Describe*", "elasticfilesystem:ListTagsForResource"]
    resources = ["*"]
  }

  # AWS makes the values and Terraform hands them on. It reads one back to see that it is there, and keeps only that.
  statement {
    sid       = "MakeValues"
    actions   = ["secretsmanager:GetRandomPassword"]
    resources = ["*"]
  }

  statement {
    sid = "OwnSecrets"
    actions = [
      "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret",
      "secretsmanager:GetResourcePolicy", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
      "secretsmanager:RestoreSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource",
      "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:secretsmanager:${var.region}:${local.account}:secret:${prefix}*"]
  }

  # RDS makes the master password in the deployer's name. It may be made and tagged, and not read.
  statement {
    sid       = "MasterPasswords"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource"]
    resources = ["arn:${local.partition}:secretsmanager:${var.region}:${local.account}:secret:rds!*"]
  }
}

data "aws_iam_policy_document" "deployer_keys" {
  statement {
    sid       = "MakeKeys"
    actions   = ["kms:CreateKey"]
    resources = ["*"]

    # A key is found again by its tag, in the statement below: none may be made without it.
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = var.environments
    }
  }

  # While a key is made it has no tag that the statement below could look at. Nobody else's key becomes ours by a tag:
  # one that is called something is not new.
  statement {
    sid       = "TagNewKeys"
    actions   = ["kms:TagResource"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = var.environments
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Project"
      values   = ["true"]
    }

    condition {
      test     = "Null"
      variable = "kms:ResourceAliases"
      values   = ["true"]
    }
  }

  # The environments' own: the keys of the states and of the trail are lyceum's too, and no environment's.
  statement {
    sid = "KeepOwnKeys"
    actions = [
      "kms:CreateAlias", "kms:CreateGrant", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey",
      "kms:EnableKeyRotation", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource",
      "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
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

  # An alias belongs to two resources; this is the other one.
  statement {
    sid       = "NameOwnKeys"
    actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:kms:${var.region}:${local.account}:alias/${prefix}*"]
  }

  statement {
    sid       = "LookAtAliases"
    actions   = ["kms:ListAliases"]
    resources = ["*"]
  }

  # Terraform holds a table's key against the one that DynamoDB would take by itself.
  statement {
    sid       = "LookAtTheKeyOfDynamodb"
    actions   = ["kms:DescribeKey"]
    resources = ["arn:${local.partition}:kms:${var.region}:${local.account}:key/*"]

    condition {
      test     = "StringEquals"
      variable = "kms:RequestAlias"
      values   = ["alias/aws/dynamodb"]
    }
  }

  # The key of the states carries the same tag and is bootstrap's.
  statement {
    sid    = "LeaveTheStatesKeyAlone"
    effect = "Deny"
    actions = [
      "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
    ]
    resources = [aws_kms_key.state.arn]
  }
}

data "aws_iam_policy_document" "deployer_identity" {
  # Every role it makes carries the boundary, and so do the rights it gives to one.
  statement {
    sid = "RolesWithinTheBoundary"
    actions = [
      "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
      "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
    ]
    resources = local.environment_roles

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }
  }

  statement {
    sid = "KeepOwnRoles"
    actions = [
      "iam:DeleteRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags", "iam:TagRole", "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
    ]
    resources = local.environment_roles
  }

  statement {
    sid = "InstanceProfiles"
    actions = [
      "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
      "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
      "iam:UntagInstanceProfile",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:instance-profile/${prefix}*"]
  }

  # Only to the services that the modules hand a role to.
  statement {
    sid       = "HandRolesToServices"
    actions   = ["iam:PassRole"]
    resources = local.environment_roles

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values = [
        "backup.amazonaws.com", "codebuild.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com",
        "monitoring.rds.amazonaws.com", "scheduler.amazonaws.com", "vpc-flow-logs.amazonaws.com",
      ]
    }
  }

  # AWS makes its own roles the first time an account uses a service, in the name of whoever uses it.
  statement {
    sid       = "RolesOfAwsServices"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["elasticfilesystem.amazonaws.com", "rds.amazonaws.com"]
    }
  }

  # Nobody lifts themselves: neither the boundary nor the deployer can be changed by the deployer.
  statement {
    sid       = "NeverWithoutTheBoundary"
    effect    = "Deny"
    actions   = ["iam:DeleteRolePermissionsBoundary"]
    resources = ["*"]
  }
}

locals {
  environment_roles = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}*"]
}
