# What the deployer needs for the servers: their template, their group, its policies; and for the bastion, which is a
# single instance.
data "aws_iam_policy_document" "deployer_compute" {
  # Found again by its tag, in the statement below: none may be made without it.
  statement {
    sid       = "MakeTemplates"
    actions   = ["ec2:CreateLaunchTemplate"]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:launch-template/*"]

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

  statement {
    sid = "KeepOwnTemplates"
    actions = [
      "ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplate", "ec2:ModifyLaunchTemplate",
    ]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:launch-template/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # Auto Scaling launches servers in its own name; but whoever makes a group, or points it at another version, must be
  # allowed to launch what the version says, and the tags that it says.
  statement {
    sid       = "LaunchTaggedMachines"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:${var.region}:${local.account}:instance/*"]

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

  # Never with a metadata service that answers without a token, nor with a profile of somebody else's.
  statement {
    sid       = "LaunchNothingThatLeaksItsRole"
    effect    = "Deny"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:*:${local.account}:instance/*"]

    condition {
      test     = "StringNotEquals"
      variable = "ec2:MetadataHttpTokens"
      values   = ["required"]
    }
  }

  statement {
    sid       = "LaunchWithOwnProfilesOnly"
    effect    = "Deny"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:*:${local.account}:instance/*"]

    condition {
      test     = "ArnNotLikeIfExists"
      variable = "ec2:InstanceProfile"
      values   = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:instance-profile/${prefix}*"]
    }
  }

  # What a machine is launched from and into. Images are Amazon's own.
  statement {
    sid     = "LaunchInto"
    actions = ["ec2:RunInstances"]
    resources = [for kind in ["launch-template/*", "network-interface/*", "security-group/*", "subnet/*", "volume/*"] :
      "arn:${local.partition}:ec2:${var.region}:${local.account}:${kind}"
    ]
  }

  statement {
    sid       = "LaunchFromAmazonsImages"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:${var.region}::image/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:Owner"
      values   = ["amazon"]
    }
  }

  statement {
    sid = "KeepOwnMachines"
    actions = [
      "ec2:AssociateIamInstanceProfile", "ec2:DisassociateIamInstanceProfile", "ec2:ModifyInstanceAttribute",
      "ec2:ModifyInstanceCreditSpecification", "ec2:ModifyInstanceMaintenanceOptions",
      "ec2:ModifyInstanceMetadataOptions", "ec2:ModifyVolume", "ec2:MonitorInstances",
      "ec2:ReplaceIamInstanceProfileAssociation", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances",
      "ec2:UnmonitorInstances",
    ]
    resources = [for kind in ["instance/*", "volume/*"] : "arn:${local.partition}:ec2:${var.region}:${local.account}:${kind}"]

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
    sid = "Groups"
    actions = [
      "autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:AttachTrafficSources",
      "autoscaling:CancelInstanceRefresh", "autoscaling:CreateAutoScalingGroup", "autoscaling:CreateOrUpdateTags",
      "autoscaling:DeleteAutoScalingGroup", "autoscaling:DeletePolicy", "autoscaling:DeleteTags",
      "autoscaling:DetachLoadBalancerTargetGroups", "autoscaling:DetachTrafficSources",
      "autoscaling:DisableMetricsCollection", "autoscaling:EnableMetricsCollection", "autoscaling:PutScalingPolicy",
      "autoscaling:ResumeProcesses", "autoscaling:RollbackInstanceRefresh", "autoscaling:SetDesiredCapacity",
      "autoscaling:SetInstanceProtection", "autoscaling:StartInstanceRefresh", "autoscaling:SuspendProcesses",
      "autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup",
    ]
    resources = [for prefix in local.prefixes :
      "arn:${local.partition}:autoscaling:${var.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${prefix}*"
    ]
  }

  statement {
    sid       = "LookAtGroups"
    actions   = ["autoscaling:Describe*"]
    resources = ["*"]
  }

  # The alarms of target tracking are Auto Scaling's, made in the deployer's name.
  statement {
    sid       = "AlarmsOfTargetTracking"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:cloudwatch:${var.region}:${local.account}:alarm:TargetTracking-${prefix}*"]
  }

  # Amazon publishes the newest image's id as a parameter of its own.
  statement {
    sid       = "NewestImage"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${var.region}::parameter/aws/service/ami-amazon-linux-latest/*"]
  }

  # How a session on a machine is kept.
  statement {
    sid = "Documents"
    actions = [
      "ssm:AddTagsToResource", "ssm:CreateDocument", "ssm:DeleteDocument", "ssm:DescribeDocument",
      "ssm:DescribeDocumentPermission", "ssm:GetDocument", "ssm:ListTagsForResource", "ssm:RemoveTagsFromResource",
      "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:ssm:${var.region}:${local.account}:document/${prefix}*"]
  }

  statement {
    sid       = "RoleOfAutoScaling"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/autoscaling.amazonaws.com/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["autoscaling.amazonaws.com"]
    }
  }
}
