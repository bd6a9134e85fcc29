variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "cidr" {
  description = "IPv4 range of the VPC, /16 to /20."
  type        = string

  validation {
    condition     = try(cidrsubnet(var.cidr, 0, 0) == var.cidr && tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be an IPv4 range from /16 to /20 that starts at its first address, as 10.20.0.0/16; got \"${var.cidr}\"."
  }
}

variable "zones" {
  description = "The two availability zones."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 2 && length(var.zones) == 2
    error_message = "zones must name two availability zones; got ${join(", ", var.zones)}."
  }
}

variable "nat" {
  description = "NAT gateways: none, one or per_zone."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat)
    error_message = "nat must be \"none\", \"one\" or \"per_zone\"; got \"${var.nat}\"."
  }

  validation {
    condition     = var.nat != "none" || length(setsubtract(var.needed_without_nat, var.interface_endpoints)) == 0
    error_message = "nat can be \"none\" only with the interface endpoints that replace it; interface_endpoints lacks ${join(", ", setsubtract(var.needed_without_nat, var.interface_endpoints))}."
  }
}

variable "needed_without_nat" {
  description = "Services without whose endpoints the roles cannot do their work where there is no NAT gateway: short names."
  type        = set(string)
}

variable "interface_endpoints" {
  description = "Services that get an interface endpoint in the management tier, by the short name that AWS gives them, as ssm."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z][a-z0-9.-]*$", service)) && !contains(["s3", "dynamodb"], service)])
    error_message = "interface_endpoints must be short names as ssm or logs, and neither s3 nor dynamodb, which have gateways of their own; got ${join(", ", var.interface_endpoints)}."
  }

  validation {
    condition     = length(var.interface_endpoints) == 0 || try(var.roles["endpoints"].tier == "management", false)
    error_message = "interface_endpoints (${join(", ", var.interface_endpoints)}) need a role named endpoints in the management tier; roles has ${join(", ", keys(var.roles))}."
  }
}

variable "interface_endpoint_zones" {
  description = "Interface endpoints in \"one\" zone (half the price; its loss cuts both off) or \"per_zone\"."
  type        = string
  default     = "per_zone"

  validation {
    condition     = contains(["one", "per_zone"], var.interface_endpoint_zones)
    error_message = "interface_endpoint_zones must be \"one\" or \"per_zone\"; got \"${var.interface_endpoint_zones}\"."
  }
}

variable "flow_log" {
  description = "Log group that keeps who talked to whom; ALL traffic or only what was refused (REJECT); over how many seconds it is added up: 60 tells more, 600 costs less."
  type = object({
    group_arn        = string
    traffic          = optional(string, "ALL")
    interval_seconds = optional(number, 600)
  })

  validation {
    condition     = contains(["ALL", "REJECT"], var.flow_log.traffic)
    error_message = "flow_log.traffic must be \"ALL\" or \"REJECT\"; got \"${var.flow_log.traffic}\"."
  }

  validation {
    condition     = contains([60, 600], var.flow_log.interval_seconds)
    error_message = "flow_log.interval_seconds must be 60 or 600; got ${var.flow_log.interval_seconds}."
  }
}

variable "permissions_boundary_arn" {
  description = "Boundary that the flow log's role carries; the deployer may make no role without it."
  type        = string
}

variable "roles" {
  description = "Security groups by role, each with the tier in which it lives."
  type        = map(object({ tier = string }))

  validation {
    condition     = alltrue([for role in values(var.roles) : contains(["public", "app", "data", "management"], role.tier)])
    error_message = "roles: a tier must be public, app, data or management; got ${join(", ", distinct([for role in values(var.roles) : role.tier]))}."
  }
}

variable "outsiders" {
  description = "Who talks to the roles from outside the VPC, by the name that flows use: at most five IPv4 ranges each."
  type        = map(list(string))
  default     = { internet = ["0.0.0.0/0"] }

  validation {
    condition     = alltrue([for cidr in flatten(values(var.outsiders)) : try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "outsiders must be IPv4 ranges that start at their first address, as 203.0.113.7/32; got ${join(", ", flatten(values(var.outsiders)))}."
  }

  validation {
    condition     = alltrue([for ranges in values(var.outsiders) : length(ranges) >= 1 && length(ranges) <= 5 && length(distinct(ranges)) == length(ranges)])
    error_message = "outsiders: each must have one to five different ranges, each costs rules in the network ACLs; got ${join("; ", [for name, ranges in var.outsiders : "${name} ${length(ranges)}"])}."
  }

  # Who is inside is a role. A range that holds the VPC, as 0.0.0.0/0, is fine: the ACLs deny the VPC's own range first.
  validation {
    condition = !anytrue([for cidr in flatten(values(var.outsiders)) : try(
      tonumber(split("/", cidr)[1]) >= tonumber(split("/", var.cidr)[1]) && cidrsubnet("${cidrhost(cidr, 0)}/${split("/", var.cidr)[1]}", 0, 0) == var.cidr, false
    )])
    error_message = "outsiders must lie outside the VPC's range ${var.cidr}; got ${join(", ", flatten(values(var.outsiders)))}."
  }

  validation {
    condition     = length(setintersection(keys(var.outsiders), concat(keys(var.roles), ["public", "app", "data", "management"]))) == 0
    error_message = "outsiders must not be named as a role or a tier; got ${join(", ", setintersection(keys(var.outsiders), concat(keys(var.roles), ["public", "app", "data", "management"])))}."
  }
}

variable "flows" {
  description = "Who may open a connection to whom: roles or outsiders, a port and the reason."
  type = list(object({
    from     = string
    to       = string
    port     = number
    protocol = optional(string, "tcp")
    why      = string
  }))

  validation {
    condition     = alltrue([for flow in var.flows : flow.port >= 1 && flow.port <= 65535 && contains(["tcp", "udp"], flow.protocol)])
    error_message = "flows: a port must be 1 to 65535 and a protocol tcp or udp; got ${join(", ", distinct([for flow in var.flows : "${flow.protocol} ${flow.port}"]))}."
  }

  validation {
    condition = alltrue([for flow in var.flows : (
      alltrue([for end in [flow.from, flow.to] : contains(concat(keys(var.roles), keys(var.outsiders)), end)])
      && length(setintersection([flow.from, flow.to], keys(var.roles))) > 0
    )])
    error_message = "flows: each end must be one of the roles (${join(", ", keys(var.roles))}) or at one end one of the outsiders (${join(", ", keys(var.outsiders))}); got ${join(", ", distinct(flatten([for flow in var.flows : "${flow.from} to ${flow.to}"])))}."
  }

  validation {
    condition     = length(distinct([for flow in var.flows : [flow.from, flow.to, flow.protocol, flow.port]])) == length(var.flows)
    error_message = "flows: the same flow must not be there twice; got ${length(var.flows)} flows, ${length(distinct([for flow in var.flows : [flow.from, flow.to, flow.protocol, flow.port]]))} different ones."
  }
}
