# Stateful: one rule on either side of a flow; replies need none.
resource "aws_security_group" "role" {
  for_each = var.roles

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = "Lyceum ${replace(each.key, "_", " ")}, ${each.value.tier} tier"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

locals {
  flows = { for flow in var.flows : "${flow.from}-${flow.to}-${flow.protocol}-${flow.port}" => flow }
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = { for key, flow in local.flows : key => flow if flow.to != "internet" }

  security_group_id            = aws_security_group.role[each.value.to].id
  referenced_security_group_id = each.value.from == "internet" ? null : aws_security_group.role[each.value.from].id
  cidr_ipv4                    = each.value.from == "internet" ? "0.0.0.0/0" : null
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = { for key, flow in local.flows : key => flow if flow.from != "internet" }

  security_group_id            = aws_security_group.role[each.value.from].id
  referenced_security_group_id = each.value.to == "internet" ? null : aws_security_group.role[each.value.to].id
  cidr_ipv4                    = each.value.to == "internet" ? "0.0.0.0/0" : null
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}
