variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the data tier, one a zone: a mount target goes into each."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must name a subnet in each of two zones; got ${length(var.subnet_ids)}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the mount targets."
  type        = list(string)
}

variable "owner_id" {
  description = "User and group id that own the shared files, on every server."
  type        = number
  default     = 1500

  validation {
    condition     = var.owner_id >= 1000 && var.owner_id <= 60000
    error_message = "owner_id must be 1000 to 60000, an ordinary user's; got ${var.owner_id}."
  }
}
