# Stateful: one rule on either side of a flow; replies need none.
resource "aws_security_group" "role" {
  #checkov:skip=CKV2_AWS_5:What carries it is in other modules, and the group of jobs waits for the pipeline.

  for_each = var.roles

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = "Lyceum ${replace(each.key, "_", " ")}, ${each.value.tier} tier"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

locals {
  # A group names another group, and an outsider range by range.
  flows = merge([
    for flow in var.flows : {
      for cidr in concat(lookup(var.outsiders, flow.from, []), lookup(var.outsiders, flow.to, []), contains(keys(var.roles), flow.from) && contains(keys(var.roles), flow.to) ? [""] : []) :
      join("-", compact([flow.from, flow.to, flow.protocol, flow.port, cidr])) => merge(flow, { cidr = cidr == "" ? null : cidr })
    }
  ]...)
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  #checkov:skip=CKV_AWS_260:80 answers with a redirect to 443 where anybody may come.

  for_each = { for key, flow in local.flows : key => flow if contains(keys(var.roles), flow.to) }

  security_group_id            = aws_security_group.role[each.value.to].id
  referenced_security_group_id = each.value.cidr == null ? aws_security_group.role[each.value.from].id : null
  cidr_ipv4                    = each.value.cidr
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = { for key, flow in local.flows : key => flow if contains(keys(var.roles), flow.from) }

  security_group_id            = aws_security_group.role[each.value.from].id
  referenced_security_group_id = each.value.cidr == null ? aws_security_group.role[each.value.to].id : null
  cidr_ipv4                    = each.value.cidr
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}
