variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the data tier, in two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets in two zones; got ${length(var.subnet_ids)}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the instance."
  type        = list(string)
}

variable "instance_class" {
  description = "Instance class, as db.t4g.micro."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must begin with \"db.\"; got \"${var.instance_class}\"."
  }
}

variable "multi_az" {
  description = "Whether a standby waits in the other zone."
  type        = bool
  default     = false
}

variable "storage_gib" {
  description = "Storage to begin with, in GiB; it grows by itself up to five times that."
  type        = number
  default     = 20
}

variable "protected" {
  description = "Whether the instance refuses to be destroyed, and leaves a final snapshot when it is."
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

variable "log_group_names" {
  description = "Log groups into which RDS exports: /aws/rds/instance/<identifier>/postgresql and …/upgrade."
  type        = list(string)

  validation {
    condition     = alltrue([for name in var.log_group_names : can(regex("^/aws/rds/instance/[^/]+/(postgresql|upgrade)$", name))])
    error_message = "log_group_names must be /aws/rds/instance/<identifier>/postgresql or …/upgrade; got ${join(", ", var.log_group_names)}."
  }
}
