# The parts of the boundary that one job each needs. The purge of logs deletes streams of the groups that are kept two
# days, and schedules start it and the canary: no other role of the platform can delete a line of any log.
data "aws_iam_policy_document" "boundary_operations" {
  statement {
    sid     = "PurgeOwnLogs"
    actions = ["logs:DeleteLogStream"]
    resources = flatten([
      for environment in var.environments : [
        for group in ["application", "system"] :
        "arn:${local.partition}:logs:*:${local.account}:log-group:/lyceum/${environment}/${group}:log-stream:*"
      ]
    ])

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}purge-logs"]
    }
  }

  # The schedules' roles, of which each names its own function.
  statement {
    sid     = "StartOnSchedule"
    actions = ["lambda:InvokeFunction"]
    resources = flatten([
      for prefix in local.prefixes : [
        for function in ["canary", "purge-logs"] : "arn:${local.partition}:lambda:*:${local.account}:function:${prefix}${function}"
      ]
    ])

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values = flatten([
        for prefix in local.prefixes : [
          for job in ["canary", "purge"] : "arn:${local.partition}:iam::${local.account}:role/${prefix}${job}-schedule"
        ]
      ])
    }
  }

  # CodeBuild puts the migrations into the network, with the source that the pipeline hands on.
  statement {
    sid = "RunMigrations"
    actions = [
      "codeconnections:UseConnection", "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission",
      "ec2:DeleteNetworkInterface", "s3:GetObject", "s3:GetObjectVersion",
    ]
    resources = [
      "arn:${local.partition}:codeconnections:${var.region}:${local.account}:connection/*",
      "arn:${local.partition}:ec2:${var.region}:${local.account}:*/*",
      "arn:${local.partition}:s3:::lyceum-pipeline-artifacts-${local.account}/*",
    ]

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}migrate"]
    }
  }
}
