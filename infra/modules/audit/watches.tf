# What rings: CIS AWS Foundations Benchmark v3.0, section 4. Calls that AWS's services make by themselves are left out
# only where the benchmark leaves them out: what one of them does in a person's name must still ring.
locals {
  # Described by a pattern of their own.
  behaviours = {
    # 4.1 "Ensure unauthorized API calls are monitored". Log delivery tries out buckets, and HeadBucket is how tools
    # ask whether one is there: both are refused all day long and mean nothing.
    unauthorized-calls = {
      meaning = "Somebody was refused a call: a role lacks a right, or a key is in the wrong hands."
      pattern = "{(($.errorCode=\"*UnauthorizedOperation\")||($.errorCode=\"AccessDenied*\"))&&($.sourceIPAddress!=\"delivery.logs.amazonaws.com\")&&($.eventName!=\"HeadBucket\")}"
    }

    # 4.3 "Ensure usage of 'root' account is monitored". What AWS does in root's name is not root's use.
    root-use = {
      meaning = "The root user was used, which is for what nobody else can do."
      pattern = "{($.userIdentity.type=\"Root\")&&($.userIdentity.invokedBy NOT EXISTS)&&($.eventType!=\"AwsServiceEvent\")}"
    }

    # 4.6 "Ensure AWS Management Console authentication failures are monitored". Beyond its pattern: a name that is not
    # there fails with another message ("No username found in supplied account").
    sign-in-failures = {
      meaning = "Somebody failed to sign in to the console."
      pattern = "{($.eventName=ConsoleLogin)&&(($.errorMessage=\"Failed authentication\")||($.responseElements.ConsoleLogin=Failure))}"
    }
  }

  # Described by the calls that make them. What an apply of the infrastructure changes every day (`deploys`) rings unless
  # Terraform does it in a deployer's role: a deployer's session in other hands rings with the first other program.
  changes = {
    # 4.4 "Ensure IAM policy changes are monitored". Beyond its list: trust, boundaries, which version counts, and new
    # ways in. With an asterisk where all calls of that beginning belong here: a pattern has 1,024 characters.
    iam-changes = {
      meaning = "Rights of a user, a group or a role were changed, other than by an apply of the infrastructure."
      deploys = true
      source  = "iam.amazonaws.com"
      calls = [
        "AddUserToGroup", "Attach*", "CreateAccessKey", "CreateLoginProfile", "CreatePolicy*", "DeleteGroupPolicy",
        "DeletePolicy*", "DeleteRoleP*", "DeleteUserP*", "Detach*", "Put*", "SetDefaultPolicyVersion",
        "UpdateAssumeRolePolicy", "UpdateLoginProfile",
      ]
    }

    # 4.5 "Ensure CloudTrail configuration changes are monitored". Beyond its list: event selectors, which silence a
    # trail without stopping it.
    trail-changes = {
      meaning = "The audit trail was changed, stopped or silenced."
      deploys = false
      source  = "cloudtrail.amazonaws.com"
      calls   = ["CreateTrail", "DeleteTrail", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail"]
    }

    # 4.8 "Ensure S3 bucket policy changes are monitored". Beyond its list: the block of public access.
    bucket-policy-changes = {
      meaning = "Who may reach a bucket, or how long it keeps its objects, was changed, other than by an apply of the infrastructure."
      deploys = true
      source  = "s3.amazonaws.com"
      calls = [
        "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketPolicy", "DeleteBucketPublicAccessBlock",
        "DeleteBucketReplication", "PutBucketAcl", "PutBucketCors", "PutBucketLifecycle", "PutBucketPolicy",
        "PutBucketPublicAccessBlock", "PutBucketReplication",
      ]
    }

    # 4.10 "Ensure security group changes are monitored". Beyond its list: ModifySecurityGroupRules, which is newer.
    security-group-changes = {
      meaning = "A security group was changed, other than by an apply of the infrastructure."
      deploys = true
      source  = "ec2.amazonaws.com"
      calls = [
        "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "DeleteSecurityGroup",
        "ModifySecurityGroupRules", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
      ]
    }

    # 4.11 "Ensure Network Access Control List (NACL) changes are monitored".
    network-acl-changes = {
      meaning = "A network ACL was changed, other than by an apply of the infrastructure."
      deploys = true
      source  = "ec2.amazonaws.com"
      calls = [
        "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
        "ReplaceNetworkAclAssociation", "ReplaceNetworkAclEntry",
      ]
    }
  }

  # Each is true of a call that is no apply's: of no user or role, of another program, of somebody else. A comparison
  # with what an event does not have is not documented, hence the first two.
  not_applied = length(var.deployers) == 0 ? "" : format("&&(%s)", join("||", [
    "($.userIdentity.arn NOT EXISTS)",
    "($.userAgent NOT EXISTS)",
    "($.userAgent!=\"*terraform-provider-aws*\")",
    "(${join("&&", [for deployer in var.deployers : "($.userIdentity.arn!=\"${deployer}\")"])})",
  ]))

  # What rings → what it means, and the pattern that finds it.
  watches = merge(local.behaviours, {
    for name, change in local.changes : name => {
      meaning = change.meaning
      pattern = "{($.eventSource=${change.source})&&(${join("||", [for call in change.calls : "($.eventName=${call})"])})${change.deploys ? local.not_applied : ""}}"
    }
  })
}

resource "aws_cloudwatch_log_metric_filter" "watch" {
  for_each = local.watches

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value.pattern

  # No default value: a metric that nothing feeds costs nothing, and the alarms take silence for good news.
  metric_transformation {
    name      = each.key
    namespace = local.metric_namespace
    value     = "1"
  }
}
