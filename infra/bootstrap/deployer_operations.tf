# What the deployer needs for what is seen and heard of an environment: logs, alarms, the purge. It makes groups and
# says how long they are kept; it reads no line of them, takes no end and no key away, and deletes no single stream.
data "aws_iam_policy_document" "deployer_operations" {
  statement {
    sid = "LogGroups"
    actions = [
      "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteMetricFilter",
      "logs:DescribeMetricFilters", "logs:ListTagsForResource", "logs:PutMetricFilter", "logs:PutRetentionPolicy",
      "logs:TagResource", "logs:UntagResource",
    ]
    resources = [for group in local.environment_log_groups : "arn:${local.partition}:logs:${var.region}:${local.account}:log-group:${group}"]
  }

  statement {
    sid = "Alarms"
    actions = [
      "cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm",
      "cloudwatch:TagResource", "cloudwatch:UntagResource",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:cloudwatch:${var.region}:${local.account}:alarm:${prefix}*"]
  }

  # A dashboard belongs to no region.
  statement {
    sid       = "Dashboards"
    actions   = ["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${prefix}*"]
  }

  statement {
    sid = "Topics"
    actions = [
      "sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes",
      "sns:ListTagsForResource", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:sns:${var.region}:${local.account}:${prefix}*"]
  }

  # These know no resource. Ending a subscription is seen in the trail.
  statement {
    sid       = "Subscriptions"
    actions   = ["sns:GetSubscriptionAttributes", "sns:Unsubscribe"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }

  # Its code comes with the apply, its rights end at the boundary. The deployer never starts one.
  statement {
    sid = "Functions"
    actions = [
      "lambda:CreateFunction", "lambda:DeleteFunction", "lambda:GetFunction*", "lambda:ListTags",
      "lambda:ListVersionsByFunction", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
    ]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:lambda:${var.region}:${local.account}:function:${prefix}*"]
  }

  # The environments' jobs; the pipeline's own projects are the administrator's. The deployer never starts one.
  statement {
    sid       = "Jobs"
    actions   = ["codebuild:BatchGetProjects", "codebuild:CreateProject", "codebuild:DeleteProject", "codebuild:UpdateProject"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:codebuild:${var.region}:${local.account}:project/${prefix}*"]
  }

  statement {
    sid       = "Schedules"
    actions   = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"]
    resources = [for prefix in local.prefixes : "arn:${local.partition}:scheduler:${var.region}:${local.account}:schedule/default/${prefix}*"]
  }

  statement {
    sid       = "LookAtLogsAndAlarms"
    actions   = ["cloudwatch:DescribeAlarms", "logs:DescribeLogGroups"]
    resources = ["*"]
  }
}

locals {
  # By name, as those who write to them want it (infra/modules/logs). The account's own /lyceum/audit is not among them.
  environment_log_groups = flatten([
    for environment in var.environments : [
      "/aws/lambda/lyceum-${environment}-*",
      "/aws/rds/instance/lyceum-${environment}-*",
      "/lyceum/${environment}/*",
      # The web ACL's group ends in the environment's own name; its ARN in a policy may carry `:*`.
      "aws-waf-logs-lyceum-${environment}",
      "aws-waf-logs-lyceum-${environment}:*",
    ]
  ])
}
