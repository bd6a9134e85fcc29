# What the deployer needs for what stands between the internet and the servers: load balancer, certificate, the zone's
# records, the firewall before them, and the identity in which mail is sent. Buckets and log groups are elsewhere.
locals {
  # The load balancer, the web ACL and the configuration set carry the environment's bare name.
  environment_names = [for environment in var.environments : "lyceum-${environment}"]

  load_balancers = [for name in local.environment_names : "arn:${local.partition}:elasticloadbalancing:${var.region}:${local.account}:loadbalancer/app/${name}/*"]
  web_acls       = [for name in local.environment_names : "arn:${local.partition}:wafv2:${var.region}:${local.account}:regional/webacl/${name}/*"]
}

data "aws_iam_policy_document" "deployer_edge" {
  # Some of these are asked for before anything exists, and none changes anything.
  statement {
    sid = "Look"
    actions = [
      "acm:DescribeCertificate", "acm:ListTagsForCertificate", "elasticloadbalancing:Describe*",
      "elasticloadbalancing:GetLoadBalancerWebACL", "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery", "logs:ListLogDeliveries", "route53:GetChange", "route53:GetHostedZone",
      "route53:ListHostedZones*", "route53:ListResourceRecordSets", "route53:ListTagsForResource",
      "ses:GetConfigurationSet*", "ses:GetEmailIdentity", "ses:ListTagsForResource", "wafv2:Get*", "wafv2:List*",
    ]
    resources = ["*"]
  }

  statement {
    sid = "LoadBalancers"
    actions = [
      "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateLoadBalancer",
      "elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:CreateWebACLAssociation",
      "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
      "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeleteWebACLAssociation",
      "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
      "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
      "elasticloadbalancing:SetWebAcl",
    ]
    resources = concat(
      local.load_balancers,
      [for arn in local.load_balancers : replace(arn, ":loadbalancer/", ":listener/")],
      [for prefix in local.prefixes : "arn:${local.partition}:elasticloadbalancing:${var.region}:${local.account}:targetgroup/${prefix}*/*"],
    )
  }

  # A certificate's id is not known before it exists: it is found by its tag. Asking for one knows no resource.
  statement {
    sid       = "AskForCertificates"
    actions   = ["acm:RequestCertificate"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Project"
      values   = ["lyceum"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }

  statement {
    sid       = "TagCertificates"
    actions   = ["acm:AddTagsToCertificate"]
    resources = ["arn:${local.partition}:acm:${var.region}:${local.account}:certificate/*"]

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
    sid       = "KeepOwnCertificates"
    actions   = ["acm:DeleteCertificate", "acm:RemoveTagsFromCertificate"]
    resources = ["arn:${local.partition}:acm:${var.region}:${local.account}:certificate/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  # Which zone it will be is not known here, but which records are: the platform's address (a name of anybody's choice)…
  statement {
    sid       = "AddressOfThePlatform"
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = ["arn:${local.partition}:route53:::hostedzone/*"]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values   = ["A"]
    }
  }

  # … and names that prove something to somebody. Never who answers for the zone, nor where its mail is delivered.
  statement {
    sid       = "ProofsOfTheDomain"
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = ["arn:${local.partition}:route53:::hostedzone/*"]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values   = ["CNAME", "MX", "TXT"]
    }

    condition {
      test     = "ForAllValues:StringLike"
      variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
      values   = ["_*", "*._domainkey.*", "bounce.*"]
    }
  }

  statement {
    sid = "Firewalls"
    actions = [
      "wafv2:AssociateWebACL", "wafv2:CreateWebACL", "wafv2:DeleteLoggingConfiguration", "wafv2:DeleteWebACL",
      "wafv2:PutLoggingConfiguration", "wafv2:TagResource", "wafv2:UntagResource", "wafv2:UpdateWebACL",
    ]
    resources = concat(local.web_acls, local.load_balancers)
  }

  # A web ACL that names AWS's own rules is checked against them too; letting go of a load balancer knows no resource
  # here, and needs DeleteWebACLAssociation on the load balancer.
  statement {
    sid       = "RulesOfAws"
    actions   = ["wafv2:CreateWebACL", "wafv2:UpdateWebACL"]
    resources = ["arn:${local.partition}:wafv2:${var.region}:*:regional/managedruleset/*"]
  }

  statement {
    sid       = "LetGoOfLoadBalancers"
    actions   = ["wafv2:DisassociateWebACL"]
    resources = ["*"]
  }

  # The firewall sets up its log's delivery in the deployer's name. None of these knows a resource.
  statement {
    sid = "DeliveryOfLogs"
    actions = [
      "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DeleteResourcePolicy", "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }

  # An identity is called as its domain is.
  statement {
    sid       = "MakeMailIdentities"
    actions   = ["ses:CreateEmailIdentity", "ses:TagResource"]
    resources = ["arn:${local.partition}:ses:${var.region}:${local.account}:identity/*"]

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
    sid = "KeepOwnMailIdentities"
    actions = [
      "ses:DeleteEmailIdentity", "ses:PutEmailIdentityConfigurationSetAttributes",
      "ses:PutEmailIdentityDkimSigningAttributes", "ses:PutEmailIdentityMailFromAttributes", "ses:UntagResource",
    ]
    resources = ["arn:${local.partition}:ses:${var.region}:${local.account}:identity/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["lyceum"]
    }
  }

  statement {
    sid = "ConfigurationSetsOfMail"
    actions = [
      "ses:CreateConfigurationSet", "ses:CreateConfigurationSetEventDestination", "ses:CreateEmailIdentity",
      "ses:DeleteConfigurationSet", "ses:DeleteConfigurationSetEventDestination",
      "ses:PutConfigurationSetDeliveryOptions", "ses:PutConfigurationSetReputationOptions",
      "ses:PutConfigurationSetSendingOptions", "ses:PutConfigurationSetSuppressionOptions",
      "ses:PutEmailIdentityConfigurationSetAttributes", "ses:TagResource",
      "ses:UntagResource", "ses:UpdateConfigurationSetEventDestination",
    ]
    resources = [for name in local.environment_names : "arn:${local.partition}:ses:${var.region}:${local.account}:configuration-set/${name}"]
  }

  statement {
    sid       = "RolesOfTheEdgesServices"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["elasticloadbalancing.amazonaws.com", "ses.amazonaws.com", "wafv2.amazonaws.com"]
    }
  }
}
