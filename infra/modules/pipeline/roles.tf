# Who may do what. None of them is the user's: CodeBuild gets an hour's credentials of the stage's own role, and each
# role can be assumed for its own project alone.
resource "aws_iam_role" "project" {
  for_each = local.projects

  name               = "${var.name}-${each.key}"
  description        = "The pipeline: ${each.value.about}"
  assume_role_policy = data.aws_iam_policy_document.project_trust[each.key].json
}

data "aws_iam_policy_document" "project_trust" {
  for_each = local.builds

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
      values   = ["arn:${local.partition}:codebuild:${local.region}:${local.account}:project/${var.name}-${each.key}"]
    }
  }
}

resource "aws_iam_role_policy" "project" {
  for_each = local.projects

  name   = "build"
  role   = aws_iam_role.project[each.key].id
  policy = data.aws_iam_policy_document.project[each.key].json
}

# What every project needs, and then what its own stage does.
data "aws_iam_policy_document" "project" {
  for_each = local.projects

  source_policy_documents = [for stage, document in local.of_stage : document if stage == each.key]

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/lyceum/pipeline/${each.key}:*"]
  }

  statement {
    sid       = "CloneTheSource"
    actions   = ["codeconnections:UseConnection"]
    resources = [aws_codeconnections_connection.github.arn]
  }

  # A path begins with the first ten letters of the artifact's name.
  statement {
    sid       = "ReadWhatIsHandedOn"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = [for artifact in concat(["Source"], each.value.reads) : "arn:${local.partition}:s3:::${local.bucket_name}/*/${artifact}*"]
  }

  dynamic "statement" {
    for_each = length(each.value.writes) > 0 ? [each.value.writes] : []

    content {
      sid       = "HandOn"
      actions   = ["s3:PutObject"]
      resources = [for artifact in statement.value : "arn:${local.partition}:s3:::${local.bucket_name}/*/${artifact}*"]
    }
  }

  statement {
    sid       = "OpenWhatIsHandedOn"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = [aws_kms_key.pipeline.arn]
  }
}

locals {
  of_stage = {
    plan    = data.aws_iam_policy_document.looks_only.json
    publish = data.aws_iam_policy_document.publish.json
    release = data.aws_iam_policy_document.release.json
    smoke   = data.aws_iam_policy_document.smoke.json
  }
}

# ------------------------------------------------------------------------------------------------ plan and apply

# The deployer's own policies: what it may not do, the pipeline may not.
resource "aws_iam_role_policy_attachment" "deploys" {
  for_each = { for pair in setproduct(["plan", "apply"], keys(var.deployer_policy_arns)) : join("-", pair) => { project = pair[0], policy = pair[1] } }

  role       = aws_iam_role.project[each.value.project].name
  policy_arn = var.deployer_policy_arns[each.value.policy]
}

# Planning runs with what applying has, less everything that changes something: the deployer's reads change with the
# provider, and are then not forgotten here.
data "aws_iam_policy_document" "looks_only" {
  statement {
    sid       = "ChangeNothing"
    effect    = "Deny"
    resources = ["*"]
    not_actions = concat(
      flatten([for service in local.read_services : ["${service}:Describe*", "${service}:Get*", "${service}:List*"]]),
      [
        "codebuild:BatchGet*", "codeconnections:UseConnection", "kms:Decrypt", "kms:GenerateDataKey",
        "logs:CreateLogStream", "logs:PutLogEvents", "s3:DeleteObject", "s3:PutObject", "sts:GetCallerIdentity",
      ],
    )
  }

  # A lock of the state, and the plan that is handed on.
  statement {
    sid     = "WriteNoMoreThanALock"
    effect  = "Deny"
    actions = ["s3:DeleteObject", "s3:PutObject"]
    not_resources = concat(
      ["arn:${local.partition}:s3:::${local.bucket_name}/*/Plan*"],
      [for name in local.environments : "arn:${local.partition}:s3:::lyceum-state-${local.account}/platform-${name}.tfstate.tflock"],
    )
  }
}

locals {
  read_services = [
    "acm", "autoscaling", "backup", "cloudwatch", "codebuild", "dynamodb", "ec2", "elasticfilesystem",
    "elasticloadbalancing", "events", "iam", "kms", "lambda", "logs", "rds", "route53", "s3", "scheduler",
    "secretsmanager", "ses", "sns", "ssm", "tag", "wafv2",
  ]
}

# ------------------------------------------------------------------------------------------------ the release

data "aws_iam_policy_document" "publish" {
  statement {
    sid       = "WriteReleasesOnce"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = [for bucket in local.release_buckets : "${bucket}/*"]
  }

  # Without it S3 answers 403 instead of 404 to a release that is not there yet.
  statement {
    sid       = "LookForReleases"
    actions   = ["s3:ListBucket"]
    resources = local.release_buckets
  }

  statement {
    sid       = "KeysOfReleases"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["arn:${local.partition}:kms:${local.region}:${local.account}:key/*"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = local.environments
    }
  }
}

data "aws_iam_policy_document" "release" {
  statement {
    sid       = "ReadReleases"
    actions   = ["s3:GetObject"]
    resources = [for bucket in local.release_buckets : "${bucket}/*"]
  }

  statement {
    sid       = "WriteHistory"
    actions   = ["s3:PutObject"]
    resources = [for bucket in local.release_buckets : "${bucket}/.history/*"]
  }

  statement {
    sid       = "LookForReleases"
    actions   = ["s3:ListBucket"]
    resources = concat(["arn:${local.partition}:s3:::lyceum-state-${local.account}"], local.release_buckets)
  }

  # Beside the state, and no more of it than its own lock.
  statement {
    sid       = "OneReleaseAtATime"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [for name in local.environments : "arn:${local.partition}:s3:::lyceum-state-${local.account}/platform-${name}.release-lock"]
  }

  statement {
    sid       = "OpenThem"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["arn:${local.partition}:kms:${local.region}:${local.account}:key/*"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  statement {
    sid       = "Templates"
    actions   = ["ec2:CreateLaunchTemplateVersion"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:launch-template/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = local.environments
    }
  }

  statement {
    sid     = "Refresh"
    actions = ["autoscaling:RollbackInstanceRefresh", "autoscaling:StartInstanceRefresh"]
    resources = [for name in local.environments :
      "arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/lyceum-${name}-servers"
    ]
  }

  # Whoever points a group at another version must be allowed to launch what it says, with the tags that it says.
  statement {
    sid       = "LaunchTaggedMachines"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "ec2:MetadataHttpTokens"
      values   = ["required"]
    }
  }

  statement {
    sid     = "LaunchInto"
    actions = ["ec2:RunInstances"]
    resources = concat(["arn:${local.partition}:ec2:${local.region}::image/*"],
      [for kind in ["launch-template/*", "network-interface/*", "security-group/*", "subnet/*", "volume/*"] :
      "arn:${local.partition}:ec2:${local.region}:${local.account}:${kind}"],
    )
  }

  statement {
    sid       = "TagWhatIsLaunched"
    actions   = ["ec2:CreateTags"]
    resources = [for kind in ["instance/*", "volume/*"] : "arn:${local.partition}:ec2:${local.region}:${local.account}:${kind}"]

    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["RunInstances"]
    }
  }

  statement {
    sid       = "HandServersTheirRole"
    actions   = ["iam:PassRole"]
    resources = [for name in local.environments : "arn:${local.partition}:iam::${local.account}:role/lyceum-${name}-server"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  statement {
    sid       = "NewestImage"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${local.region}::parameter/aws/service/ami-amazon-linux-latest/*"]
  }

  statement {
    sid = "Look"
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "cloudwatch:DescribeAlarms",
      "ec2:DescribeLaunchTemplateVersions",
    ]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "smoke" {
  statement {
    sid = "Look"
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeLaunchTemplateVersions",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"]
  }
}

# ------------------------------------------------------------------------------------------------ pull requests

resource "aws_iam_role" "check" {
  name               = "${var.name}-check"
  description        = "The check of pull requests: may write its log and read the source"
  assume_role_policy = data.aws_iam_policy_document.project_trust["check"].json
}

resource "aws_iam_role_policy" "check" {
  name   = "build"
  role   = aws_iam_role.check.id
  policy = data.aws_iam_policy_document.check.json
}

data "aws_iam_policy_document" "check" {
  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/lyceum/pipeline/check:*"]
  }

  statement {
    sid       = "CloneTheSource"
    actions   = ["codeconnections:GetConnection", "codeconnections:GetConnectionToken", "codeconnections:UseConnection"]
    resources = [aws_codeconnections_connection.github.arn]
  }
}

# ------------------------------------------------------------------------------------------------ the pipeline itself

resource "aws_iam_role" "pipeline" {
  name               = var.name
  description        = "The pipeline: starts the projects and hands on what they make"
  assume_role_policy = data.aws_iam_policy_document.pipeline_trust.json
}

data "aws_iam_policy_document" "pipeline_trust" {
  statement {
    sid     = "OwnPipeline"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codepipeline.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.pipeline_arn]
    }
  }
}

resource "aws_iam_role_policy" "pipeline" {
  name   = "pipeline"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.pipeline.json
}

data "aws_iam_policy_document" "pipeline" {
  #checkov:skip=CKV_AWS_356:Looking at alarms knows no resource.

  statement {
    sid     = "StartProjects"
    actions = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
    resources = concat(
      [for project in keys(local.projects) : "arn:${local.partition}:codebuild:${local.region}:${local.account}:project/${var.name}-${project}"],
      [for name in local.environments : "arn:${local.partition}:codebuild:${local.region}:${local.account}:project/lyceum-${name}-migrate"],
    )
  }

  statement {
    sid       = "Source"
    actions   = ["codeconnections:UseConnection"]
    resources = [aws_codeconnections_connection.github.arn]
  }

  statement {
    sid       = "HandOn"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = ["arn:${local.partition}:s3:::${local.bucket_name}/*"]
  }

  statement {
    sid       = "FindWhatIsHandedOn"
    actions   = ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${local.bucket_name}"]
  }

  statement {
    sid       = "OpenWhatIsHandedOn"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = [aws_kms_key.pipeline.arn]
  }

  statement {
    sid       = "AskForApproval"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]
  }

  statement {
    sid       = "LookWhetherItRings"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }
}
