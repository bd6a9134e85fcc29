variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{2,43}$", var.name))
    error_message = "name must be 2 to 43 of letters, digits, _ and -, so that the vault's name fits; got \"${var.name}\"."
  }
}

variable "resources" {
  description = "ARNs of what is backed up, each by what it is: database, progress, content, files."
  type        = map(string)

  validation {
    condition     = length(var.resources) > 0 && alltrue([for arn in values(var.resources) : can(regex("^arn:[a-z-]+:(dynamodb|elasticfilesystem|rds|s3):", arn))])
    error_message = "resources must be ARNs of databases, tables, buckets or file systems; got ${jsonencode(var.resources)}."
  }
}

variable "retention_days" {
  description = "Days a recovery point is kept. With one a week, 28 days are four of them."
  type        = number
  default     = 28

  validation {
    condition     = var.retention_days >= 7 && var.retention_days <= 365 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days must be a whole number from 7, or a week would be without, to 365; got ${var.retention_days}."
  }
}

variable "protected" {
  description = "Whether recovery points outlast mistakes: the vault is locked, and not deleted while it holds any."
  type        = bool
  default     = true
}

variable "permissions_boundary_arn" {
  description = "Boundary that bootstrap made; the deployer can make no role without it."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy of this account; got \"${var.permissions_boundary_arn}\"."
  }
}
