variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "cidr" {
  description = "IPv4 range of the VPC, /16 to /20."
  type        = string
}

variable "zones" {
  description = "The two availability zones."
  type        = list(string)

  validation {
    condition     = length(var.zones) == 2
    error_message = "zones must name two availability zones; got ${length(var.zones)}."
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
}

variable "roles" {
  description = "Security groups by role, each with the tier in which it lives."
  type        = map(object({ tier = string }))

  validation {
    condition     = alltrue([for role in values(var.roles) : contains(["public", "app", "data", "management"], role.tier)])
    error_message = "roles: a tier must be public, app, data or management; got ${join(", ", distinct([for role in values(var.roles) : role.tier]))}."
  }
}

variable "flows" {
  description = "Who may open a connection to whom: roles, or \"internet\", a port and the reason."
  type = list(object({
    from     = string
    to       = string
    port     = number
    protocol = optional(string, "tcp")
    why      = string
  }))

  validation {
    condition     = alltrue([for flow in var.flows : flow.port >= 1 && flow.port <= 65535 && contains(["tcp", "udp"], flow.protocol)])
    error_message = "flows: a port must be 1 to 65535 and a protocol tcp or udp."
  }

  validation {
    condition     = alltrue([for flow in var.flows : alltrue([for end in [flow.from, flow.to] : end == "internet" || contains(keys(var.roles), end)])])
    error_message = "flows: each end must be \"internet\" or one of the roles."
  }
}
