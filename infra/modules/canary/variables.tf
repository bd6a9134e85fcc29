variable "name" {
  description = "Prefix of every name, as lyceum-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 40 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "url" {
  description = "Where the platform is met, as https://learn.school.example. Encrypted: the certificate is part of what is asked."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+$", var.url))
    error_message = "url must be as https://learn.school.example, without a path; got \"${var.url}\"."
  }
}

variable "metrics_namespace" {
  description = "Namespace in which it tells whether it was answered, the only one in which it may."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9/_.-]*$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "metrics_namespace must be of letters, digits and /_.- and not AWS's own; got \"${var.metrics_namespace}\"."
  }
}

variable "log_group" {
  description = "The function's log group: its name, and its ARN."
  type        = object({ name = string, arn = string })
}

variable "canary_zip" {
  description = "Path of the function's archive, made before Terraform runs (lyceum_ops.functions). Relative to the root: an absolute one would be a change on every other machine."
  type        = string

  validation {
    condition     = endswith(var.canary_zip, ".zip") && fileexists(var.canary_zip)
    error_message = "canary_zip must be the path of an archive that was built before Terraform runs; got \"${var.canary_zip}\"."
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
