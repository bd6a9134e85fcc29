variable "function_name" {
  description = "Name of the function, and of its schedule."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}[a-z0-9]$", var.function_name))
    error_message = "function_name must be 3 to 64 of a-z, 0-9 and -; got \"${var.function_name}\"."
  }
}

variable "function_arn" {
  description = "ARN of the function."
  type        = string
}

variable "description" {
  description = "When, and what for, in a few words."
  type        = string
}

variable "expression" {
  description = "When, in UTC: rate(…) or cron(…)."
  type        = string

  validation {
    condition     = can(regex("^(rate|cron)\\(.+\\)$", var.expression))
    error_message = "expression must be rate(…) or cron(…); got \"${var.expression}\"."
  }
}

variable "tries" {
  description = "How often a start that failed is tried again, and for how many seconds it is worth anything."
  type        = object({ again = number, seconds = number })

  validation {
    condition     = var.tries.again >= 0 && var.tries.again <= 185 && var.tries.seconds >= 60 && var.tries.seconds <= 86400
    error_message = "tries must be 0 to 185, within 60 to 86400 seconds; got ${jsonencode(var.tries)}."
  }
}

variable "role_name" {
  description = "Name of the role that starts it."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Boundary that bootstrap made; the deployer can make no role without it."
  type        = string
}
