variable "name" {
  description = "Name of the trail, and prefix of every other name."
  type        = string
  default     = "lyceum-audit"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 40 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "alarm_email" {
  description = "Address that hears of every alarm."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:].]+(\\.[^@[:space:].]+)+$", var.alarm_email))
    error_message = "alarm_email must be an address as operator@example.org; got \"${var.alarm_email}\"."
  }
}

variable "retention_days" {
  description = "Days that events stay in the log group. The bucket keeps them a year."
  type        = number
  default     = 90

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.retention_days,
    )
    error_message = "retention_days must be one that CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653); got ${var.retention_days}."
  }
}

variable "watched_roles" {
  description = "ARN patterns of roles that may never use or change the trail's key, whatever IAM gives them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.watched_roles : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "watched_roles must be ARNs of roles, * allowed in the name; got ${join(", ", var.watched_roles)}."
  }
}

variable "deployers" {
  description = "Sessions of the roles that apply the infrastructure, as arn:aws:sts::<account>:assumed-role/<role>/*: what Terraform changes in their name rings nothing. Of nobody else, and of no other program."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.deployers : can(regex("^arn:[^:*]+:sts::[0-9]{12}:assumed-role/[^/*]+/\\*$", arn))])
    error_message = "deployers must be sessions of one role each, as arn:aws:sts::123456789012:assumed-role/name/*; got ${join(", ", var.deployers)}."
  }
}
