# AWS's services without the way through the internet. What leaves through an endpoint is this account's: a policy on
# each of them keeps stolen credentials of another account, and other accounts' buckets, out of reach.
data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  gateway_policies = {
    s3       = data.aws_iam_policy_document.s3_endpoint.json
    dynamodb = data.aws_iam_policy_document.dynamodb_endpoint.json
  }
}

# Free, and they keep the traffic to S3 and DynamoDB off the NAT gateway. The data tier asks neither: RDS and EFS back
# up over AWS's own network.
resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_policies

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for key, subnet in local.subnets : aws_route_table.private[key].id if contains(["app", "management"], subnet.tier)]
  policy            = each.value

  tags = { Name = "${var.name}-${each.key}" }
}

data "aws_iam_policy_document" "s3_endpoint" {
  #checkov:skip=CKV_AWS_283:dnf signs no request: AmazonLinuxPackages names AWS's public bucket, and reading only.

  statement {
    sid     = "OwnBuckets"
    actions = ["s3:*"]
    # A bucket's name is anybody's to take, so that its account counts too.
    resources = ["arn:${local.partition}:s3:::${var.name}-*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [local.account]
    }
  }

  # dnf signs nothing. These are AWS's buckets of Amazon Linux 2023, one a region, with the same ending everywhere. The
  # agents come out of them too; Patch Manager and Run Command's updates, which have buckets of their own, are not used.
  statement {
    sid       = "AmazonLinuxPackages"
    actions   = ["s3:GetObject"]
    resources = ["arn:${local.partition}:s3:::al2023-repos-${local.region}-de612dc2/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "dynamodb_endpoint" {
  statement {
    sid       = "OwnTables"
    actions   = ["dynamodb:*"]
    resources = ["arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${var.name}-*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account]
    }
  }
}

# About $7.30 a month each and zone: eight of them in two zones cost more than three times what a NAT gateway does.
resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in local.endpoint_zones : aws_subnet.tier["management-${zone}"].id]
  security_group_ids  = [aws_security_group.role["endpoints"].id]
  policy              = data.aws_iam_policy_document.own_principals.json

  tags = { Name = "${var.name}-${each.key}" }
}

locals {
  endpoint_zones = var.interface_endpoint_zones == "one" ? slice(var.zones, 0, 1) : var.zones
}

data "aws_iam_policy_document" "own_principals" {
  #checkov:skip=CKV_AWS_1:An endpoint's policy grants nothing: it keeps out whoever is not of this account.
  #checkov:skip=CKV_AWS_49:An endpoint's policy grants nothing: it keeps out whoever is not of this account.

  statement {
    sid       = "OwnPrincipals"
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account]
    }
  }
}
