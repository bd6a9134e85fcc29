variable "region" {
  description = "Region of the state bucket, and of every environment. It has to offer t2.micro."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must look like \"us-east-1\"; got \"${var.region}\"."
  }
}

variable "environments" {
  description = "Environments of this account. The deployer may make what carries one of their names, and nothing else."
  type        = set(string)
  default     = ["dev", "prod"]

  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : contains(["dev", "prod"], name)])
    error_message = "environments must be some of dev and prod; got ${join(", ", var.environments)}."
  }
}

variable "alarm_email" {
  description = "Address that hears of every alarm of the account. No default: an alarm that nobody reads is none."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:].]+(\\.[^@[:space:].]+)+$", var.alarm_email))
    error_message = "alarm_email must be an address as operator@example.org; got \"${var.alarm_email}\"."
  }
}

variable "audit_retention_days" {
  description = "Days that the audit trail can be searched in its log group. Its bucket keeps it a year."
  type        = number
  default     = 90
}

variable "monthly_budget_usd" {
  description = "US dollars that the account may cost a month before a letter is written. docs/cost.md says what it takes: both environments with a few dozen learners about 345."
  type        = number
  default     = 400

  validation {
    condition     = var.monthly_budget_usd >= 1 && var.monthly_budget_usd <= 100000
    error_message = "monthly_budget_usd must be 1 to 100000; got ${var.monthly_budget_usd}."
  }
}

variable "pipeline" {
  description = "What the pipeline delivers: the repository on GitHub, and the environments in their order with the Terraform variables that have no default. Null: no pipeline. docs/how-to/run-the-pipeline.md goes through it."
  type = object({
    repository = string
    branch     = optional(string, "main")
    tags       = optional(list(string), ["v*"])
    connected  = optional(bool, false)
    image      = optional(string, "aws/codebuild/standard:7.0")

    environments = list(object({
      name      = string
      variables = map(string)
      url       = optional(string, "")
      approve   = optional(bool, true)
    }))
  })
  default = null

  validation {
    condition     = var.pipeline == null || try(length(setsubtract(var.pipeline.environments[*].name, var.environments)) == 0, false)
    error_message = "pipeline.environments must be some of the account's environments, ${join(", ", var.environments)}; got ${join(", ", try(var.pipeline.environments[*].name, []))}."
  }
}
