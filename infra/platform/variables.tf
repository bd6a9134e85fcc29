variable "environment" {
  description = "Name of the environment; part of every resource's name."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be \"dev\" or \"prod\"; got \"${var.environment}\"."
  }
}

variable "region" {
  description = "Region of the environment. It has to offer t2.micro."
  type        = string
  default     = "us-east-1"

  validation {
    condition = !contains([
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-west-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
    ], var.region)
    error_message = "region must be one that offers t2.micro; ${var.region} does not. us-east-1 and eu-west-1 do."
  }
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC. A quarter of it, less what is kept free, goes to each tier: /16 to /20."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "vpc_cidr must be an IPv4 range from /16 to /20, as 10.20.0.0/16; got \"${var.vpc_cidr}\"."
  }
}

variable "nat" {
  description = "NAT gateways: \"none\", \"one\" (cheaper, one zone's loss cuts the way out) or \"per_zone\"."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat)
    error_message = "nat must be \"none\", \"one\" or \"per_zone\"; got \"${var.nat}\"."
  }
}

variable "database" {
  description = "RDS PostgreSQL: instance class, whether a standby waits in the other zone, storage in GiB."
  type = object({
    instance_class = optional(string, "db.t4g.micro")
    multi_az       = optional(bool, false)
    storage_gib    = optional(number, 20)
  })
  default = {}

  validation {
    condition     = var.database.storage_gib >= 20 && var.database.storage_gib <= 16384
    error_message = "database.storage_gib must be 20 to 16384; got ${var.database.storage_gib}."
  }
}

variable "protected" {
  description = "Whether data refuses to be destroyed: deletion protection, buckets that must be empty, a final snapshot."
  type        = bool
  default     = true
}

variable "origins" {
  description = "Where browsers meet the platform, as https://learn.example: these may upload straight to the bucket."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.origins : can(regex("^https?://[^/*]+(:(\\*|[0-9]+))?$", origin))])
    error_message = "origins must look like https://learn.example, without a path; got ${join(", ", var.origins)}."
  }
}
