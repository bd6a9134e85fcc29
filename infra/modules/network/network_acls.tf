# Stateless: a flow needs a rule in each direction at both of its ends. In each direction of each tier come
#   1. what flows within the VPC, by tier (rules from 100),
#   2. a deny of the VPC's own range (500), so that
#   3. the broad allows that talking to the outside needs (from 600) open nothing inside.
locals {
  # Load balancers and NAT gateways use 1024-65535 for their side of a connection, Linux 32768-60999, and nobody knows
  # what is outside.
  ephemeral = merge(
    { for tier in local.tiers : tier => { from = 32768, to = 60999 } },
    { for range in distinct(flatten(values(var.outsiders))) : range => { from = 1024, to = 65535 } },
    { public = { from = 1024, to = 65535 } },
  )

  # An ACL knows no groups: a role is its tier, an outsider its ranges.
  peers = merge({ for role, settings in var.roles : role => [settings.tier] }, var.outsiders)

  # In the order of the table, so that a flow which is added at its end renumbers no rule.
  wanted = { for tier in local.tiers : tier => distinct(flatten([
    for flow in var.flows : [
      # Asked: the request comes in, the reply goes to the asker's ephemeral ports.
      [for peer in local.peers[flow.from] : [
        { egress = false, peer = peer, protocol = flow.protocol, from = flow.port, to = flow.port },
        { egress = true, peer = peer, protocol = flow.protocol, from = local.ephemeral[peer].from, to = local.ephemeral[peer].to },
      ] if contains(local.peers[flow.to], tier)],

      # Asking: the other way round.
      [for peer in local.peers[flow.to] : [
        { egress = true, peer = peer, protocol = flow.protocol, from = flow.port, to = flow.port },
        { egress = false, peer = peer, protocol = flow.protocol, from = local.ephemeral[tier].from, to = local.ephemeral[tier].to },
      ] if contains(local.peers[flow.from], tier)],

      # With a NAT gateway in it, the public tier passes on what the private tiers send outside.
      [for asker in local.peers[flow.from] : [for peer in local.peers[flow.to] : [
        { egress = false, peer = asker, protocol = flow.protocol, from = flow.port, to = flow.port },
        { egress = true, peer = asker, protocol = flow.protocol, from = local.ephemeral[asker].from, to = local.ephemeral[asker].to },
        { egress = true, peer = peer, protocol = flow.protocol, from = flow.port, to = flow.port },
        { egress = false, peer = peer, protocol = flow.protocol, from = local.ephemeral[tier].from, to = local.ephemeral[tier].to },
      ]] if tier == "public" && length(local.nat_zones) > 0 && contains(keys(var.outsiders), flow.to) && contains(["app", "management"], asker)],
    ]
  ])) }

  acl_allows = merge(flatten([
    for tier in local.tiers : [
      for egress in [false, true] : [
        for outside in [false, true] : {
          for index, rule in [
            for rule in local.wanted[tier] : rule
            if rule.egress == egress && contains(local.tiers, rule.peer) != outside
            ] : "${tier}-${egress ? "out" : "in"}-${rule.peer}-${rule.protocol}-${rule.from}-${rule.to}" => {
            tier     = tier
            egress   = egress
            number   = (outside ? 600 : 100) + index * 10
            action   = "allow"
            protocol = rule.protocol
            cidr     = outside ? rule.peer : local.tier_cidrs[rule.peer]
            from     = rule.from
            to       = rule.to
          }
        }
      ]
    ]
  ])...)

  acl_denies = merge([
    for tier in local.tiers : {
      for egress in [false, true] : "${tier}-${egress ? "out" : "in"}-deny-vpc" => {
        tier     = tier
        egress   = egress
        number   = 500
        action   = "deny"
        protocol = "-1"
        cidr     = var.cidr
        from     = 0
        to       = 0
      }
    }
  ]...)

  acl_rules = merge(local.acl_allows, local.acl_denies)

  acl_rule_counts = { for tier in local.tiers : tier => {
    for direction, egress in { in = false, out = true } :
    direction => length([for rule in values(local.acl_rules) : rule if rule.tier == tier && rule.egress == egress])
  } }
}

# Its rules are listed within it and not each a resource of its own: a rule that somebody adds by hand is taken away
# again, and where rules are renumbered the old ones go before the new ones come, which two resources would race for. A
# plan shows all rules of a list in which one changes; what is sent to AWS is the difference.
resource "aws_network_acl" "tier" {
  #checkov:skip=CKV_AWS_231:Replies come to 1024-65535, 3389 among them; no security group lets a request in there.

  for_each = toset(local.tiers)

  vpc_id     = aws_vpc.this.id
  subnet_ids = [for key, subnet in local.subnets : aws_subnet.tier[key].id if subnet.tier == each.key]

  dynamic "ingress" {
    for_each = { for key, rule in local.acl_rules : key => rule if rule.tier == each.key && !rule.egress }

    content {
      rule_no    = ingress.value.number
      action     = ingress.value.action
      protocol   = ingress.value.protocol
      cidr_block = ingress.value.cidr
      from_port  = ingress.value.from
      to_port    = ingress.value.to
    }
  }

  dynamic "egress" {
    for_each = { for key, rule in local.acl_rules : key => rule if rule.tier == each.key && rule.egress }

    content {
      rule_no    = egress.value.number
      action     = egress.value.action
      protocol   = egress.value.protocol
      cidr_block = egress.value.cidr
      from_port  = egress.value.from
      to_port    = egress.value.to
    }
  }

  tags = { Name = "${var.name}-${each.key}" }

  lifecycle {
    # AWS's limit, which counts its own last rule ("*", deny) among them.
    precondition {
      condition     = alltrue([for count in values(local.acl_rule_counts[each.key]) : count <= 19])
      error_message = "flows and outsiders need ${local.acl_rule_counts[each.key].in} rules in and ${local.acl_rule_counts[each.key].out} rules out in the network ACL of the ${each.key} tier; 19 a direction is the most that AWS lets us have. Name fewer outside ranges, or share ports."
    }
  }
}
