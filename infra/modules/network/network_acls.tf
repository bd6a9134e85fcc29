# Stateless: a flow needs a rule in each direction at both of its ends. In each direction of each tier come
#   1. what flows within the VPC, by tier (rules from 100),
#   2. a deny of the VPC's own range (500), so that
#   3. the broad allows that talking to the internet needs (from 600) open nothing inside.
locals {
  any = "0.0.0.0/0"

  # Load balancers and NAT gateways use 1024-65535 for their side of a connection, Linux 32768-60999.
  ephemeral = {
    public     = { from = 1024, to = 65535 }
    app        = { from = 32768, to = 60999 }
    data       = { from = 32768, to = 60999 }
    management = { from = 32768, to = 60999 }
    internet   = { from = 1024, to = 65535 }
  }

  tier_of = merge({ internet = "internet" }, { for role, settings in var.roles : role => settings.tier })

  tier_flows = distinct([
    for flow in var.flows : {
      from     = local.tier_of[flow.from]
      to       = local.tier_of[flow.to]
      protocol = flow.protocol
      port     = flow.port
    }
  ])

  # With a NAT gateway in it, the public tier passes on what the private tiers send to the internet.
  passed_on = length(local.nat_zones) == 0 ? [] : [
    for flow in local.tier_flows : flow if flow.to == "internet" && flow.from != "public"
  ]

  wanted = { for tier in local.tiers : tier => distinct(concat(
    # Requests that arrive from, and go to, another tier or the internet.
    [for f in local.tier_flows : { egress = false, peer = f.from, protocol = f.protocol, from = f.port, to = f.port } if f.to == tier],
    [for f in local.tier_flows : { egress = true, peer = f.to, protocol = f.protocol, from = f.port, to = f.port } if f.from == tier],
    # Replies to them, to the asker's ephemeral ports.
    [for f in local.tier_flows : { egress = true, peer = f.from, protocol = f.protocol, from = local.ephemeral[f.from].from, to = local.ephemeral[f.from].to } if f.to == tier],
    [for f in local.tier_flows : { egress = false, peer = f.to, protocol = f.protocol, from = local.ephemeral[tier].from, to = local.ephemeral[tier].to } if f.from == tier],
    # The same for what the NAT gateway passes on, in from the asker and out to the internet.
    tier != "public" ? [] : concat(
      [for f in local.passed_on : { egress = false, peer = f.from, protocol = f.protocol, from = f.port, to = f.port }],
      [for f in local.passed_on : { egress = true, peer = f.from, protocol = f.protocol, from = local.ephemeral[f.from].from, to = local.ephemeral[f.from].to }],
      [for f in local.passed_on : { egress = true, peer = "internet", protocol = f.protocol, from = f.port, to = f.port }],
      [for f in local.passed_on : { egress = false, peer = "internet", protocol = f.protocol, from = local.ephemeral.public.from, to = local.ephemeral.public.to }],
    ),
  )) }

  # Rule numbers follow from the sorted keys; a new flow may renumber, which Terraform applies rule by rule.
  acl_rules = merge(flatten([
    for tier in local.tiers : [
      for egress in [false, true] : [
        for outside in [false, true] : {
          for index, key in sort([
            for w in local.wanted[tier] : "${w.peer}|${w.protocol}|${w.from}|${w.to}"
            if w.egress == egress && (w.peer == "internet") == outside
            ]) : "${tier}-${egress ? "out" : "in"}-${replace(key, "|", "-")}" => {
            tier     = tier
            egress   = egress
            number   = (outside ? 600 : 100) + index * 10
            action   = "allow"
            protocol = split("|", key)[1]
            cidr     = outside ? local.any : local.tier_cidrs[split("|", key)[0]]
            from     = tonumber(split("|", key)[2])
            to       = tonumber(split("|", key)[3])
          }
        }
      ]
    ]
    ])...
  )

  acl_denies = merge([
    for tier in local.tiers : {
      for egress in [false, true] : "${tier}-${egress ? "out" : "in"}-deny-vpc" => {
        tier     = tier
        egress   = egress
        number   = 500
        action   = "deny"
        protocol = "-1"
        cidr     = var.cidr
        from     = null
        to       = null
      }
    }
  ]...)
}

resource "aws_network_acl" "tier" {
  for_each = toset(local.tiers)

  vpc_id     = aws_vpc.this.id
  subnet_ids = [for key, subnet in local.subnets : aws_subnet.tier[key].id if subnet.tier == each.key]

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_network_acl_rule" "flow" {
  for_each = merge(local.acl_rules, local.acl_denies)

  network_acl_id = aws_network_acl.tier[each.value.tier].id
  egress         = each.value.egress
  rule_number    = each.value.number
  rule_action    = each.value.action
  protocol       = each.value.protocol
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}
