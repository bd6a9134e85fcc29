variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 40 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "environment" {
  description = "Name of the environment, in the names of its groups: /lyceum/<environment>/…"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.environment))
    error_message = "environment must be 2 to 20 of a-z, 0-9 and -; got \"${var.environment}\"."
  }
}

variable "purge_zip" {
  description = "Path of the purge's archive, made before Terraform runs (lyceum_ops.functions). Relative to the root: an absolute one would be a change on every other machine."
  type        = string

  validation {
    condition     = endswith(var.purge_zip, ".zip") && fileexists(var.purge_zip)
    error_message = "purge_zip must be the path of an archive that was built before Terraform runs; got \"${var.purge_zip}\"."
  }
}

variable "retention_days" {
  description = "Days that CloudWatch keeps events: `logs` of every group but `sessions`, which tells who opened the database. The purge makes two days of the system and application logs' three."
  type = object({
    logs     = optional(number, 3)
    sessions = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for days in values(var.retention_days) : contains(
        [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], days,
      )
    ])
    error_message = "retention_days must be ones that CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653); got ${jsonencode(var.retention_days)}."
  }

  # One day is a retention that CloudWatch knows, and would end the system and application logs before their second.
  validation {
    condition     = var.retention_days.logs >= 3
    error_message = "retention_days.logs must be 3 or more, or CloudWatch deletes what is to be kept two days; got ${var.retention_days.logs}."
  }
}

variable "permissions_boundary_arn" {
  description = "Boundary that bootstrap made; the deployer can make no role without it."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy of this account; got \"${var.permissions_boundary_arn}\"."
  }
}
