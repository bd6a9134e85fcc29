variable "region" {
  description = "Region of the state bucket, and of every environment. It has to offer t2.micro."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must look like \"us-east-1\"; got \"${var.region}\"."
  }
}
