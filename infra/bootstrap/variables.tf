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
