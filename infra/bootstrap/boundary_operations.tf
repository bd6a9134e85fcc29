# The part of the boundary that only the purge of logs needs: it deletes streams of the groups that are kept two days,
# and its schedule starts it. No other role of the platform can delete a line of any log.
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

  statement {
    sid       = "StartThePurge"
    actions   = ["lambda:InvokeFunction"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:lambda:*:${local.account}:function:${prefix}purge-logs"]

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = [for prefix in local.prefixes : "arn:${local.partition}:iam::${local.account}:role/${prefix}purge-schedule"]
    }
  }
}
