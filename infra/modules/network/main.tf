locals {
  tiers = ["public", "app", "data", "management"]

  # One block a tier, the rest of the VPC stays free for tiers to come.
  tier_cidrs = { for index, tier in local.tiers : tier => cidrsubnet(var.cidr, 4, index) }

  subnets = merge([
    for tier in local.tiers : {
      for index, zone in var.zones : "${tier}-${zone}" => {
        tier = tier
        zone = zone
        cidr = cidrsubnet(local.tier_cidrs[tier], 2, index)
      }
    }
  ]...)

  nat_zones = var.nat == "none" ? [] : var.nat == "one" ? slice(var.zones, 0, 1) : var.zones
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Purposefully without rules: what forgets to name a security group can talk to nobody.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-unused" }
}

resource "aws_subnet" "tier" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  tags = {
    Name = "${var.name}-${each.key}"
    Tier = each.value.tier
  }
}
