resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "zone" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.tier["public-${each.key}"].id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

# A table for each private tier and zone: the way out of a zone stays in the zone where there is a NAT gateway in it,
# and the data tier has no way out at all.
resource "aws_route_table" "private" {
  for_each = { for key, subnet in local.subnets : key => subnet if subnet.tier != "public" }

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_route" "nat" {
  for_each = {
    for key, subnet in local.subnets : key => subnet
    if contains(["app", "management"], subnet.tier) && length(local.nat_zones) > 0
  }

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.zone[contains(local.nat_zones, each.value.zone) ? each.value.zone : local.nat_zones[0]].id
}

resource "aws_route_table_association" "tier" {
  for_each = local.subnets

  subnet_id      = aws_subnet.tier[each.key].id
  route_table_id = each.value.tier == "public" ? aws_route_table.public.id : aws_route_table.private[each.key].id
}
