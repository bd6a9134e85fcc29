variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the management tier."
  type        = string
}

variable "security_group_ids" {
  description = "Security groups of the role bastion: these decide what it reaches, and that nothing reaches it."
  type        = list(string)

  # None would mean the VPC's default group.
  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "security_group_ids must name the group of the role bastion; got none."
  }
}

variable "instance_type" {
  description = "Instance type: a port forward fits the smallest of any burstable family."
  type        = string
  default     = "t4g.nano"

  validation {
    condition     = can(regex("^t(2|3|3a|4g)\\.(nano|micro|small)$", var.instance_type))
    error_message = "instance_type must be a nano, micro or small of t2, t3, t3a or t4g, as t4g.nano; got \"${var.instance_type}\"."
  }
}

variable "database" {
  description = "Where the database listens, the only address to which a port can be forwarded; and for the operators' policy its ARN, that of the servers' password and of the password's key."
  type = object({
    address        = string
    port           = optional(number, 5432)
    arn            = string
    secret_arn     = string
    secret_key_arn = string
  })
}

variable "session_log_group" {
  description = "Log group of the sessions, encrypted with the key below: otherwise no shell starts."
  type        = object({ name = string, arn = string })
}

variable "key_arn" {
  description = "Key that encrypts the sessions, their log and the bastion's disk."
  type        = string
}

variable "idle_minutes" {
  description = "After how many minutes without a keystroke a shell ends."
  type        = number
  default     = 15

  validation {
    condition     = var.idle_minutes >= 1 && var.idle_minutes <= 60
    error_message = "idle_minutes must be 1 to 60; got ${var.idle_minutes}."
  }
}

variable "longest_minutes" {
  description = "After how many minutes a shell ends in any case."
  type        = number
  default     = 120

  validation {
    condition     = var.longest_minutes >= 1 && var.longest_minutes <= 1440
    error_message = "longest_minutes must be 1 to 1440; got ${var.longest_minutes}."
  }
}

variable "permissions_boundary_arn" {
  description = "Boundary that the bastion's role carries; the deployer may make no role without it."
  type        = string
}
