variable "name" {
  description = "Prefix of every name. No environment's own, so that the deployer's rights do not reach the pipeline."
  type        = string
  default     = "lyceum-pipeline"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 32 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "repository" {
  description = "The repository on GitHub, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be owner/name, as school/lyceum; got \"${var.repository}\"."
  }
}

variable "branch" {
  description = "The branch whose every commit is delivered."
  type        = string
  default     = "main"
}

variable "tags" {
  description = "Patterns of tags that are delivered too, as a way to release an older commit again."
  type        = list(string)
  default     = ["v*"]
}

variable "connected" {
  description = "Whether somebody has completed the connection to GitHub in AWS's console. Only then can the check of pull requests be made."
  type        = bool
  default     = false
}

variable "environments" {
  description = "Environments in the order in which a commit reaches them: the Terraform variables that have no default, the address at which a check reaches it (\"\" where only operators do), and whether a person approves first."
  type = list(object({
    name      = string
    variables = map(string)
    url       = optional(string, "")
    approve   = optional(bool, true)
  }))

  validation {
    condition     = length(var.environments) > 0 && alltrue([for e in var.environments : contains(["dev", "prod"], e.name)]) && length(distinct(var.environments[*].name)) == length(var.environments)
    error_message = "environments must be some of dev and prod, each once; got ${join(", ", var.environments[*].name)}."
  }

  validation {
    condition     = alltrue([for e in var.environments : e.approve || e.name != "prod"])
    error_message = "environments: prod must be approved by a person; got approve = false."
  }

  validation {
    condition     = alltrue([for e in var.environments : e.url == "" || startswith(e.url, "https://")])
    error_message = "environments: url must begin with https:// or be empty; got ${join(", ", [for e in var.environments : "\"${e.url}\""])}."
  }
}

variable "alarm_email" {
  description = "Address that hears of what waits for approval, and of what failed."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:].]+(\\.[^@[:space:].]+)+$", var.alarm_email))
    error_message = "alarm_email must be an address as operator@example.org; got \"${var.alarm_email}\"."
  }
}

variable "deployer_policy_arns" {
  description = "The deployer's policies: what planning may look at and applying may do."
  type        = map(string)
}

variable "image" {
  description = "Image of CodeBuild in which everything runs; an Ubuntu."
  type        = string
  default     = "aws/codebuild/standard:7.0"
}

variable "log_retention_days" {
  description = "Days for which the logs of builds are kept: what deployed what is asked for longer than two days."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch Logs knows, up to 400; got ${var.log_retention_days}."
  }
}
